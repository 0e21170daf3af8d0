import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { perform, type Performance } from './perform';
import { isFaultless, type Report } from './report';
import type { Scenario } from './scenario';
import { Servers } from './servers';

const reports = join('test-results', 'faults');

/** Plays scenarios one after the other, and keeps what each reports, whatever becomes of it. */
export class Playhouse {
  private servers: Servers | undefined;

  async play(scenario: Scenario, performance: Performance): Promise<Report> {
    this.servers ??= await Servers.open();
    const report = await perform(scenario, this.servers, performance);
    mkdirSync(reports, { recursive: true });
    writeFileSync(join(reports, `${scenario.name}.json`), `${JSON.stringify(report, null, 2)}\n`);
    // A story that failed may have left anything behind, or go on: the next one has servers that it never knew.
    if (!isFaultless(report)) await this.close();
    return report;
  }

  async close(): Promise<void> {
    const { servers } = this;
    this.servers = undefined;
    await servers?.close();
  }
}
