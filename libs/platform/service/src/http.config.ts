import { isIP } from 'node:net';
import { Env } from '@delivery/platform/config';
import { IsInt, IsNotEmpty, Max, Min, ValidateBy } from 'class-validator';

function isNetwork(text: unknown): boolean {
  const [address = '', bits = '0', ...more] = String(text).split('/');
  const version = isIP(address);
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

/** Where a service answers HTTP (its API if it has one, health and metrics always) and how it stops. */
export class HttpConfig {
  @Env({
    name: 'HTTP_HOST',
    description: 'Address to listen on; 0.0.0.0 inside a container.',
    default: '127.0.0.1',
    example: '0.0.0.0',
  })
  @IsNotEmpty()
  host: string;

  @Env({ name: 'HTTP_PORT', description: 'Port to listen on; 0 takes any free one.', default: '8080' })
  @IsInt()
  @Min(0)
  @Max(65535)
  port: number;

  @Env({
    name: 'HTTP_BODY_LIMIT_BYTES',
    description: 'Largest request body in bytes; a larger one is answered 413.',
    default: '1048576',
  })
  @IsInt()
  @Min(1024)
  @Max(104_857_600)
  bodyLimitBytes: number;

  @Env({
    name: 'HTTP_TRUSTED_PROXIES',
    description:
      'Addresses or networks (CIDR), comma separated, of proxies whose X-Forwarded-For tells where a request came from. ' +
      'Without them the address that connects is the one that limits count and logs have.',
    default: '',
    example: '10.0.0.0/8,2001:db8::/32',
  })
  @ValidateBy(
    {
      name: 'addresses or networks',
      validator: { validate: isNetwork, defaultMessage: () => 'each item must be an address or network' },
    },
    { each: true },
  )
  trustedProxies: string[];

  @Env({
    name: 'SHUTDOWN_GRACE_MS',
    description:
      'Milliseconds between readiness turning 503 and the end of intake, so that a load balancer notices first.',
    default: '0',
    example: '5000',
  })
  @IsInt()
  @Min(0)
  @Max(300_000)
  shutdownGraceMs: number;

  @Env({
    name: 'SHUTDOWN_TIMEOUT_MS',
    description: 'Milliseconds after which a stop that has not finished is ended by force (grace included).',
    default: '25000',
  })
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  shutdownTimeoutMs: number;
}
