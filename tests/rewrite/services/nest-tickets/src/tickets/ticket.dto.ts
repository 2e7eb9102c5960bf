import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';

export class NewTicket {
  @IsString()
  @MinLength(5)
  @MaxLength(500)
  text: string;

  @IsEmail()
  from: string;
}

export interface Ticket {
  id: number;
  text: string;
  from: string;
  category: string;
  hours: number;
}
