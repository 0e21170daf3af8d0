import 'reflect-metadata';
import { RUN_STATUSES, RUN_TRIGGERS, type RunStatus, type RunTrigger } from '@delivery/exports/domain';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Min } from 'class-validator';

/** "Look now": a run of this kind of destination can be claimed. Says nothing that the run's row does not say. */
export class RunRequestedMessage {
  @IsString()
  organization_id: string;

  @IsString()
  run_id: string;
}

/** A run changed. The state is the one it has now; states that passed quickly are not told one by one. */
export class RunChangedMessage {
  @IsString()
  organization_id: string;

  /** The integration. */
  @IsString()
  export_id: string;

  @IsString()
  run_id: string;

  /** Grows with every change: of two messages about one run, the higher one is newer. */
  @IsInt()
  @Min(1)
  change: number;

  @IsIn([...RUN_STATUSES])
  status: RunStatus;

  @IsIn([...RUN_TRIGGERS])
  trigger: RunTrigger;

  /** `YYYY-MM-DD`, as in the path of the files. */
  @IsString()
  date: string;

  @IsISO8601()
  due_at: string;

  /** How often the run was claimed. */
  @IsInt()
  @Min(0)
  attempt: number;

  @IsOptional()
  @IsISO8601()
  retry_at?: string | null;

  @IsOptional()
  @IsISO8601()
  finished_at?: string | null;

  /** Why the run did not complete, if it did not. */
  @IsOptional()
  @IsString()
  result_code?: string | null;

  /** A sentence that tells what to change. */
  @IsOptional()
  @IsString()
  result_message?: string | null;

  /** Key of the manifest, once the run is completed. */
  @IsOptional()
  @IsString()
  manifest_key?: string | null;
}
