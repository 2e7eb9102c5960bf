import { createRoot } from "react-dom/client";
import { BrowserRouter, Link, Route, Routes } from "react-router-dom";

import Board from "./Board.jsx";
import "./board.css";

createRoot(document.getElementById("root")).render(
  <BrowserRouter>
    <nav>
      <Link to="/">{__TITLE__}</Link> <Link to="/about">About</Link>
    </nav>
    <Routes>
      <Route path="/" element={<Board />} />
      <Route path="/about" element={<p>A board with three columns that stays in your browser.</p>} />
    </Routes>
  </BrowserRouter>,
);
