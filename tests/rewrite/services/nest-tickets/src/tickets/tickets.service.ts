import { Injectable, NotFoundException } from '@nestjs/common';
import { CategoriesService } from '../categories/categories.service.js';
import type { NewTicket, Ticket } from './ticket.dto.js';

@Injectable()
export class TicketsService {
  private readonly tickets: Ticket[] = [];

  constructor(private readonly categories: CategoriesService) {
    this.add({ text: 'The printer has a paper jam again', from: 'ada@example.com' });
    this.add({ text: 'My account is locked', from: 'grace@example.com' });
  }

  all(): Ticket[] {
    return this.tickets;
  }

  one(id: number): Ticket {
    const found = this.tickets.find((ticket) => ticket.id === id);
    if (!found) throw new NotFoundException(`no ticket ${id}`);
    return found;
  }

  add(wanted: NewTicket): Ticket {
    const category = this.categories.of(wanted.text);
    const ticket: Ticket = {
      id: this.tickets.length + 1,
      text: wanted.text,
      from: wanted.from,
      category: category?.name ?? 'other',
      hours: category?.hours ?? 24,
    };
    this.tickets.push(ticket);
    return ticket;
  }
}
