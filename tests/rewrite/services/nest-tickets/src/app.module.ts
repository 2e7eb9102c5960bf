import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { CategoriesService } from './categories/categories.service.js';
import { HealthController } from './health.controller.js';
import { TicketsController } from './tickets/tickets.controller.js';
import { TicketsService } from './tickets/tickets.service.js';

@Module({
  imports: [ConfigModule.forRoot()],
  controllers: [HealthController, TicketsController],
  providers: [CategoriesService, TicketsService],
})
export class AppModule {}
