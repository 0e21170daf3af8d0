import { setTimeout as delay } from 'node:timers/promises';
import { processUsage } from './measure';
import { openRig, say, startApp, stopApp } from './rig';

const apps = [
  'integrations-api',
  'consent-ingest',
  'scheduler',
  'exporter-s3',
  'exporter-gcs',
  'analytics-aggregator',
  'download-gateway',
] as const;

/** P8: seconds from the start of all services to the last one's readiness, and what each holds after a minute of rest. */
export async function benchIdle(options: { restSeconds: number }) {
  const rig = await openRig(3);
  try {
    const began = performance.now();
    const children = await Promise.all(apps.map((app, i) => startApp(app, rig.environment, 18_080 + i)));
    const readySeconds = Number(((performance.now() - began) / 1000).toFixed(1));
    say(`all ready after ${readySeconds} s`);
    await delay(options.restSeconds * 1000);
    const services = apps.map((app, i) => ({ app, ...processUsage(children[i]?.pid ?? 0) }));
    for (const service of services) say(`${service.app}: ${service.rssMb} MB (peak ${service.peakRssMb} MB)`);
    await Promise.all(children.map(stopApp));
    return { benchmark: 'P8 idle', options, readySeconds, services };
  } finally {
    await rig.close();
  }
}
