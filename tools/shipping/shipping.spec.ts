import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describeConfig } from '@delivery/platform/config';
import { KafkaConfig } from '@delivery/platform/kafka';
import { PostgresConfig } from '@delivery/platform/postgres';

import { memoryArgs } from '../build/node.cjs';
import { apps } from '../generate/apps';
import { TopicsConfig } from '../topics/ensure-all-topics';
import { type Container, type PodSpec, readBase, readCompose } from './manifests';

const root = join(__dirname, '..', '..');
const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

interface Program {
  known: Set<string>;
  required: string[];
  secret: Set<string>;
}

function program(variables: ReturnType<typeof describeConfig>): Program {
  return {
    known: new Set(variables.map(({ variable }) => variable)),
    required: variables.filter(({ required }) => required).map(({ variable }) => variable),
    secret: new Set(variables.filter(({ secret }) => secret).map(({ variable }) => variable)),
  };
}

const programs = new Map<string, Program>([
  ...apps.map(({ name, variables }) => [name, program(variables)] as const),
  ['migrate.cjs', program(describeConfig(PostgresConfig))],
  ['topics.cjs', program([...describeConfig(KafkaConfig), ...describeConfig(TopicsConfig)])],
]);

/** The program that an image runs with these arguments. */
function programOf(image: string, args: readonly string[] = []): Program {
  const name = args[0] ?? image.replace(/^consent-delivery\//, '').replace(/:.*$/, '');
  const found = programs.get(name);
  if (found === undefined) throw new Error(`${image} runs ${name}, which is neither a service nor a step`);
  return found;
}

/** Variables that are missing, and those that nothing would read. */
function environmentFaults({ known, required }: Program, given: readonly string[], shared: readonly string[] = []) {
  const missing = required.filter((name) => ![...given, ...shared].includes(name));
  return { missing, unknown: given.filter((name) => !known.has(name) && name !== 'NODE_OPTIONS') };
}

/** `NODE_OPTIONS` of a service, the same that it is started with outside of containers. */
const nodeOptionsOf = (app: string) => (memoryArgs(app).length > 0 ? memoryArgs(app).join(' ') : undefined);

const none = { missing: [], unknown: [] };

describe('docker/compose.yaml', () => {
  const services = Object.entries(readCompose(root));
  const ours = services.filter(([, { build }]) => build !== undefined);

  it('has every service, on the port that the documentation names', () => {
    const ports = Object.fromEntries(
      ours.flatMap(([name, { ports }]) => (ports ?? []).map((port) => [name, port.split(':')[1]])),
    );
    const defaults = apps.map(({ name, variables }) => [
      name,
      variables.find(({ variable }) => variable === 'HTTP_PORT')?.default,
    ]);
    expect(ports).toEqual(Object.fromEntries(defaults));
  });

  it.each(ours)('%s has the configuration that it reads, and no rights that it does not need', (_, service) => {
    const environment = service.environment ?? {};
    const { APP } = service.build?.args ?? { APP: '' };
    expect(service.image).toBe(`consent-delivery/${APP}:${version}`);
    expect(environmentFaults(programOf(service.image, service.command), Object.keys(environment))).toEqual(none);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    if (service.command === undefined) expect(environment['NODE_OPTIONS']).toBe(nodeOptionsOf(APP));
  });

  it.each(services)('%s has no password of ours and listens on this machine only', (_, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    const secrets = Object.entries(service.environment ?? {}).filter(([name]) => /_KEYS?$|PASSWORD|_URL$/.test(name));
    // The key of the local object store is no secret: it accepts any.
    const ownKeys = secrets.filter(([name]) => !name.startsWith('AWS_'));
    for (const [, value] of ownKeys) expect(value).toMatch(/\$\{[A-Z_]+:\?/);
  });
});

describe('k8s/base', () => {
  const { manifests, shared, listed, files } = readBase(root);
  const pods = manifests.flatMap(({ kind, metadata, spec }): [string, PodSpec][] =>
    spec?.template ? [[`${kind} ${metadata.name}`, spec.template.spec]] : [],
  );
  const containers = pods.flatMap(([name, pod]) => pod.containers.map((each): [string, Container] => [name, each]));
  const deployments = containers.filter(([name]) => name.startsWith('Deployment'));

  it('lists all its files', () => {
    expect(listed).toEqual(files);
  });

  it('has a deployment of every service, and both steps', () => {
    const images = new Set(deployments.map(([, { image }]) => image));
    expect([...images].sort()).toEqual(apps.map(({ name }) => `consent-delivery/${name}:${version}`).sort());
    const steps = containers.filter(([name]) => name.startsWith('Job')).flatMap(([, { args }]) => args);
    expect(steps).toEqual(['migrate.cjs', 'topics.cjs']);
  });

  it.each(deployments)('%s has the memory that it is started with elsewhere', (_, { image, env }) => {
    const app = image.replace(/^consent-delivery\//, '').replace(/:.*$/, '');
    expect(env?.find(({ name }) => name === 'NODE_OPTIONS')?.value).toBe(nodeOptionsOf(app));
  });

  it('holds no secret', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  it('shares only what some program reads', () => {
    const known = [...programs.values()].flatMap((each) => [...each.known]);
    expect(shared.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(pods)('%s runs without rights', (_, pod) => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it.each(containers)(
    '%s has the configuration that it reads, secrets by reference',
    (_, { image, args, env = [] }) => {
      const reads = programOf(image, args);
      expect(
        environmentFaults(
          reads,
          env.map(({ name }) => name),
          shared,
        ),
      ).toEqual(none);
      const written = env.filter(({ value }) => value !== undefined).map(({ name }) => name);
      expect([...written, ...shared].filter((name) => reads.secret.has(name))).toEqual([]);
    },
  );

  it.each(containers)('%s says what it needs', (_, { resources }) => {
    expect(resources).toMatchObject({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
  });

  it.each(deployments)('%s is probed', (_, { livenessProbe, readinessProbe }) => {
    expect(livenessProbe?.httpGet.path).toBe('/health/live');
    expect(readinessProbe?.httpGet.path).toBe('/health/ready');
  });

  it('scales what exists', () => {
    const targets = manifests.flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? []);
    const names = manifests.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    expect(targets.filter((name) => !names.includes(name))).toEqual([]);
  });
});
