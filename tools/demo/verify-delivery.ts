import { spawn } from 'node:child_process';
import type { StackEnvironment } from '../stack';

/** Runs the verifier as its users do, in a process of its own. */
export function verifyDelivery(url: string, environment: StackEnvironment): Promise<{ ok: boolean; report: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['tools/run.cjs', 'tools/verify/main.ts', url], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { report: '', errors: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.report += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.errors += text));
    child.once('error', reject);
    // Where it could not verify at all, the reason is on standard error.
    child.once('close', (code) => resolve({ ok: code === 0, report: (output.report || output.errors).trim() }));
  });
}
