import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [react()], define: { __TITLE__: JSON.stringify(process.env.BOARD_TITLE ?? "Board") } });
