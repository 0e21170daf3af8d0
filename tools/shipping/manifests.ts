import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parse, parseAllDocuments } from 'yaml';

/** What the checks look at in a container of Kubernetes, and nothing else of it. */
export interface Container {
  image: string;
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  livenessProbe?: { httpGet: { path: string } };
  readinessProbe?: { httpGet: { path: string } };
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: unknown;
}

export interface PodSpec {
  automountServiceAccountToken?: boolean;
  securityContext?: unknown;
  containers: Container[];
}

export interface Manifest {
  kind: string;
  metadata: { name: string };
  spec?: { template?: { spec: PodSpec }; scaleTargetRef?: { name: string } };
}

export interface ComposeService {
  image: string;
  build?: { dockerfile: string; args: { APP: string } };
  command?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  ports?: string[];
  environment?: Record<string, string | number>;
}

/** The documents of every file of a kustomize base, and the environment that its config map gives to all. */
export function readBase(root: string): { manifests: Manifest[]; shared: string[]; listed: string[]; files: string[] } {
  const folder = join(root, 'k8s', 'base');
  const files = globSync('*.yaml', { cwd: folder }).filter((file) => file !== 'kustomization.yaml');
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const manifests = texts.flatMap((text) => parseAllDocuments(text).map((document): Manifest => document.toJS()));
  const kustomization: { resources: string[]; configMapGenerator: { literals: string[] }[] } = parse(
    readFileSync(join(folder, 'kustomization.yaml'), 'utf8'),
  );
  const literals = kustomization.configMapGenerator.flatMap((generator) => generator.literals);
  return {
    manifests,
    shared: literals.map((literal) => literal.slice(0, literal.indexOf('='))),
    listed: [...kustomization.resources].sort(),
    files: files.map((file) => basename(file)).sort(),
  };
}

export function readCompose(root: string): Record<string, ComposeService> {
  const text = readFileSync(join(root, 'docker', 'compose.yaml'), 'utf8');
  const { services }: { services: Record<string, ComposeService> } = parse(text, { merge: true });
  return services;
}
