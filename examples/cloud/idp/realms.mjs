// SPDX-License-Identifier: Apache-2.0
/**
 * Two kinds of clients that never meet: each has its own certificate authority at the gateway, its own folder of clients, its own
 * audience and scopes. Which kind it is says the listener that the client came through, in x-client-realm: a partner with a
 * vehicle's name is another client than that vehicle.
 */
export const kVehicles = 'vehicles';
export const kPartners = 'partners';

const kScopes = { [kVehicles]: ['prekeys', 'records'], [kPartners]: ['share'] };

/** @return the realms of a configuration by name, each {name, audience, clients, scopes}; partners are there when they are configured. */
export function realmsOf(config) {
  const realms = new Map([[kVehicles, { audience: config.audience, clients: config.clients }]]);
  if (config.partner_clients) realms.set(kPartners, { audience: config.partner_audience, clients: config.partner_clients });
  for (const [name, realm] of realms) Object.assign(realm, { name, scopes: kScopes[name] });
  return realms;
}
