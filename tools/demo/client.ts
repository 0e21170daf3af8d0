import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export interface ExportLog {
  id: string;
  status: 'pending' | 'completed' | 'failed';
  result: string | null;
  metrics: { users: number | null };
}

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

  post<T>(url: string, body: unknown): Promise<T> {
    return request('POST', url, body, this.token);
  }

  get<T>(url: string): Promise<T> {
    return request('GET', url, undefined, this.token);
  }

  /** Runs an export now and waits for its end. */
  async runNow(api: string, exportId: string, say: (line: string) => void): Promise<ExportLog> {
    await this.post(`${api}/v1/exports/execute`, { organization_id: this.organization, export_id: exportId });
    const deadline = Date.now() + 180_000;
    while (Date.now() < deadline) {
      const url = `${api}/v1/marketplace/exports/logs?organization_id=${this.organization}&export_id=${exportId}`;
      const log = (await this.get<{ data: ExportLog[] }>(url)).data[0];
      if (log?.status === 'failed') throw new Error(`The export ${exportId} failed: ${log.result ?? ''}`);
      if (log?.status === 'completed') return log;
      say(`export ${exportId}: ${log?.status ?? 'planned'}`);
      await delay(1000);
    }
    throw new Error(`The export ${exportId} has not ended in three minutes.`);
  }
}

async function request<T>(method: string, url: string, body?: unknown, token?: string): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
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
