import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { ModulesContainer } from '@nestjs/core';

export interface Route {
  method: string;
  /** As declared: `/v1/keys/:id`. */
  path: string;
}

/** What of a Nest application is needed to ask for its modules. */
export interface ModulesOf {
  get(token: typeof ModulesContainer): ModulesContainer;
}

/** Every route that any controller declares: a test over them holds a new one before anybody thinks of it. */
export function routesOf(app: ModulesOf): Route[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => (typeof metatype === 'function' ? routesOfController(metatype) : []));
}

function routesOfController(controller: { prototype: object }): Route[] {
  const bases: string[] = [Reflect.getMetadata(PATH_METADATA, controller)].flat();
  return Object.values(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(({ value: handler }) => {
    const method: unknown = typeof handler === 'function' ? Reflect.getMetadata(METHOD_METADATA, handler) : undefined;
    if (typeof method !== 'number') return [];
    const path: string = Reflect.getMetadata(PATH_METADATA, handler);
    return bases.map((base) => ({
      method: RequestMethod[method] ?? '',
      path: `/${base}/${path}`.replace(/\/+/g, '/').replace(/\/$/, ''),
    }));
  });
}
