import { Body, Controller, Get, Param, ParseIntPipe, Post } from '@nestjs/common';
import { NewTicket, type Ticket } from './ticket.dto.js';
import { TicketsService } from './tickets.service.js';

@Controller('tickets')
export class TicketsController {
  constructor(private readonly tickets: TicketsService) {}

  @Get()
  all(): Ticket[] {
    return this.tickets.all();
  }

  @Get(':id')
  one(@Param('id', ParseIntPipe) id: number): Ticket {
    return this.tickets.one(id);
  }

  @Post()
  add(@Body() wanted: NewTicket): Ticket {
    return this.tickets.add(wanted);
  }
}
