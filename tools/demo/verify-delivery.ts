import { spawn } from 'node:child_process';
import type { StackEnvironment } from '../stack';

/** Runs the verifier as its users do, in a process of its own. */
export function verifyDelivery(url: string, environment: StackEnvironment): Promise<{ ok: boolean; report: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['tools/run.cjs', 'tools/verify/main.ts', url], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let report = '';
    child.stdout.on('data', (chunk: Buffer) => (report += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('exit', (code) => resolve({ ok: code === 0, report: report.trim() }));
  });
}
