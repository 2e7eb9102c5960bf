import { Injectable } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Category {
  name: string;
  words: string[];
  hours: number;
}

@Injectable()
export class CategoriesService {
  private readonly file = join(process.cwd(), 'data', 'categories.json');

  all(): Category[] {
    return JSON.parse(readFileSync(this.file, 'utf8')) as Category[];
  }

  of(text: string): Category | undefined {
    const words = new Set(text.toLowerCase().split(/\W+/));
    return this.all().find((category) => category.words.some((word) => words.has(word)));
  }
}
