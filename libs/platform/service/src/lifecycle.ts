import { Injectable, Logger } from '@nestjs/common';

/** One thing to do while stopping; may wait, may fail (which is logged and stops nothing else). */
export type StopStep = () => Promise<void> | void;

/**
 * How a service stops. In this order: readiness answers 503, grace, `stopping` is aborted and the intake steps run
 * (each returns when its current unit of work is finished or aborted), HTTP closes, the close steps run.
 * Correctness never depends on any of it: the process may be killed at any point.
 */
@Injectable()
export class Lifecycle {
  private readonly logger = new Logger(Lifecycle.name);
  private readonly controller = new AbortController();
  private readonly intakeSteps: NamedStep[] = [];
  private readonly closeSteps: NamedStep[] = [];

  /** Aborted when intake stops: loops end, long waits give up. */
  readonly stopping: AbortSignal = this.controller.signal;

  /** Consumers, pollers, loops: take nothing new, finish or abort the unit in hand. All run side by side. */
  onStopIntake(step: StopStep, name = step.name): void {
    this.intakeSteps.push({ name, step });
  }

  /** Producers, pools, clients: run one after the other, last registered first, when nothing uses them any more. */
  onClose(step: StopStep, name = step.name): void {
    this.closeSteps.push({ name, step });
  }

  /** Called by the service itself. */
  async stopIntake(): Promise<void> {
    this.controller.abort();
    await Promise.all(this.intakeSteps.splice(0).map((step) => this.run(step)));
  }

  /** Called by the service itself. */
  async close(): Promise<void> {
    // What a step still needs was opened before it, so it is closed after it.
    for (const step of this.closeSteps.splice(0).reverse()) await this.run(step);
  }

  private async run({ name, step }: NamedStep): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.logger.error({ err: error, step: name }, 'a stop step failed');
    }
  }
}

interface NamedStep {
  readonly name: string;
  readonly step: StopStep;
}
