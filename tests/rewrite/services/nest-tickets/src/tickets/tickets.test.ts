import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CategoriesService } from '../categories/categories.service.js';
import { TicketsService } from './tickets.service.js';

test('a ticket is sorted by its words', () => {
  const tickets = new TicketsService(new CategoriesService());
  const ticket = tickets.add({ text: 'No VPN at home', from: 'alan@example.com' });
  assert.deepEqual([ticket.id, ticket.category, ticket.hours], [3, 'network', 4]);
});
