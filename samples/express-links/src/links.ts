import { nanoid } from "nanoid";
import { z } from "zod";

export const NewLink = z.object({ url: z.string().url() });

export interface Link {
  id: string;
  url: string;
  visits: number;
}

export class Links {
  private readonly byId = new Map<string, Link>();

  add(url: string, id: string = nanoid(8)): Link {
    const link = { id, url, visits: 0 };
    this.byId.set(id, link);
    return link;
  }

  visit(id: string): Link | undefined {
    const link = this.byId.get(id);
    if (link) {
      link.visits += 1;
    }
    return link;
  }

  all(): Link[] {
    return [...this.byId.values()].sort((a, b) => a.id.localeCompare(b.id));
  }
}
