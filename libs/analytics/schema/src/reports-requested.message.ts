import 'reflect-metadata';
import { IsString } from 'class-validator';

/** "Look now": a report can be made. Says nothing that the report's row does not say. */
export class ReportsRequestedMessage {
  @IsString()
  organization_id: string;

  @IsString()
  analytics_id: string;

  /** The report's name, such as `granular-2026-01-02`. */
  @IsString()
  prefix: string;
}
