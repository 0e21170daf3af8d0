import { hourStart } from '@delivery/analytics/domain';
import type { ClosingState } from './close-hours';

/** Notices that closing is late. After a standstill it is not, as long as it gets on. */
export class ClosingWatch {
  private state: ClosingState | undefined;
  private movedAt: number;

  /** @param now - milliseconds of a clock that is never set */
  constructor(
    private readonly lateSeconds: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.movedAt = now();
  }

  look(state: ClosingState): void {
    if (state.nextHour !== this.state?.nextHour) this.movedAt = this.now();
    this.state = state;
  }

  /** A sentence when hours are not closed in time. */
  fault(): string | undefined {
    const { state, lateSeconds } = this;
    const stoodSeconds = (this.now() - this.movedAt) / 1000;
    if (state === undefined || state.behindSeconds <= lateSeconds || stoodSeconds <= lateSeconds) return undefined;
    const { nextHour, behindSeconds, waitingFor = 'it is being closed' } = state;
    const hour = hourStart(nextHour).toISOString();
    return `The hour from ${hour} has been over for ${Math.floor(behindSeconds)} s and is not closed: ${waitingFor}.`;
  }
}
