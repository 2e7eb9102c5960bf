import { Controller, Get, Header } from '@nestjs/common';
import { CategoriesService } from './categories/categories.service.js';

@Controller()
export class HealthController {
  constructor(private readonly categories: CategoriesService) {}

  @Get('health')
  health(): { status: string } {
    return { status: 'ok' };
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  home(): string {
    const names = this.categories.all().map((category) => `<li>${category.name}</li>`);
    return `<h1>Help desk</h1><ul>${names.join('')}</ul><a href="/tickets">tickets</a>`;
  }
}
