import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

interface ExportLog {
  id: string;
  status: 'pending' | 'completed' | 'failed';
  result: string | null;
}

const runTimeoutMs = 180_000;

/** A customer's client: nothing but HTTP and the contract. */
export class Client {
  private constructor(
    private readonly token: string,
    readonly organization: string,
  ) {}

  static async signIn(api: string, organization: string, key: { id: string; secret: string }): Promise<Client> {
    const session = await request<{ access_token: string }>('POST', `${api}/v1/sessions`, {
      type: 'api-key',
      key: key.id,
      secret: key.secret,
    });
    return new Client(session.access_token, organization);
  }

  /** @param body as JSON text, or a value that becomes it */
  post<T>(url: string, body: unknown): Promise<T> {
    return request('POST', url, body, this.token);
  }

  get<T>(url: string): Promise<T> {
    return request('GET', url, undefined, this.token);
  }

  /** Runs an export now and waits for its end. @throws with the platform's own sentence when it fails */
  async runNow(api: string, exportId: string): Promise<void> {
    const of = { organization_id: this.organization, export_id: exportId };
    const run = await this.post<{ id: string }>(`${api}/v1/exports/execute`, of);
    for (const deadline = Date.now() + runTimeoutMs; Date.now() < deadline; await delay(500)) {
      const logs = await this.get<{ data: ExportLog[] }>(
        `${api}/v1/marketplace/exports/logs?${new URLSearchParams(of)}`,
      );
      const log = logs.data.find(({ id }) => id === run.id);
      if (log?.status === 'completed') return;
      if (log?.status === 'failed') throw new Error(`The export ${exportId} failed: ${log.result ?? ''}`);
    }
    throw new Error(`The export ${exportId} has not ended in ${runTimeoutMs / 1000} s.`);
  }
}

async function request<T>(method: string, url: string, body?: unknown, token?: string): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.status === 429) {
    await delay(1000 * Number(answer.headers.get('retry-after') ?? 1));
    return request(method, url, body, token);
  }
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** A key as Google makes them, for a project and a service account that exist nowhere. */
export function serviceAccountKey(projectId: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: projectId,
    private_key_id: '0123456789abcdef0123456789abcdef01234567',
    private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    client_email: `exports@${projectId}.iam.gserviceaccount.com`,
    client_id: '100000000000000000000',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: 'https://oauth2.googleapis.com/token',
    universe_domain: 'googleapis.com',
  });
}
