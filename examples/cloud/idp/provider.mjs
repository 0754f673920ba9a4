// SPDX-License-Identifier: Apache-2.0
/**
 * oidc-provider with everything off but client_credentials (RFC 6749, 4.4) by tls_client_auth (RFC 8705, 2.1), giving access
 * tokens in the form of RFC 9068, bound to the certificate (RFC 8705, 3). Immutable: other keys are another provider.
 */
const kAlgorithm = 'ES256';
const kOffFeatures = ['devInteractions', 'introspection', 'revocation', 'rpInitiatedLogout', 'userinfo'];
const kSignatures = ['authorizationSigningAlgValues', 'clientAuthSigningAlgValues', 'idTokenSigningAlgValues',
  'introspectionSigningAlgValues', 'requestObjectSigningAlgValues', 'userinfoSigningAlgValues'];

const metadata = (id, scopes) => ({
  client_id: id,
  scope: scopes.join(' '),
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: kAlgorithm,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: `CN=${id}`,
  tls_client_certificate_bound_access_tokens: true,
});

/** What oidc-provider stores: clients come from our files; tokens are self-contained, so nothing else is ever kept. */
function adapter(clientOf) {
  return class {
    constructor(model) {
      this.model = model;
    }

    async find(id) {
      if (this.model !== 'Client') return undefined;
      const scopes = await clientOf(id);
      return scopes && metadata(id, scopes);
    }

    async upsert() {}
    async destroy() {}
    async consume() {}
    async revokeByGrantId() {}
    async findByUid() {}
    async findByUserCode() {}
  };
}

/** Wanted is a scope at least, and each that is asked for has to be granted: a vehicle with half its scopes would fail later. */
function checkScope(ctx, client, errors) {
  const granted = client.scope.split(' ');
  const asked = (ctx.oidc.params.scope ?? '').split(' ');
  if (!asked.every((scope) => granted.includes(scope))) throw new errors.InvalidScope('requested scope is not allowed');
}

/** One audience: the API that this kind of client is for. */
function resourceIndicators({ audience, scopes }, kid, errors) {
  return {
    enabled: true,
    defaultResource: () => audience,
    useGrantedResource: () => true,
    getResourceServerInfo: (ctx, indicator, client) => {
      if (indicator !== audience) throw new errors.InvalidTarget();
      checkScope(ctx, client, errors);
      return {
        scope: scopes.join(' '),
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: kAlgorithm, kid } },
      };
    },
  };
}

function mutualTls(certificateOf) {
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: false,
    getCertificate: (ctx) => certificateOf(ctx.req).certificate,
    certificateAuthorized: (ctx) => certificateOf(ctx.req).certificate !== undefined,
    certificateSubjectMatches: (ctx, property, expected) =>
      property === 'tls_client_auth_subject_dn' && `CN=${certificateOf(ctx.req).name}` === expected,
  };
}

/** Pages of browsers have no business here. */
async function withoutCors(ctx, next) {
  await next();
  for (const name of Object.keys(ctx.response.headers)) if (name.startsWith('access-control-')) ctx.remove(name);
  ctx.remove('vary');
}

/**
 * @param oidc the module oidc-provider
 * @param config of config.mjs
 * @param realm of realms.mjs: the kind of clients that this provider is for
 * @param keys {keys, kid} of keys.mjs
 * @param hooks certificateOf(request) as certificate.mjs answers; clientOf(id): its scopes, or undefined;
 *        granted(ctx), refused(ctx, error), failed(ctx, error)
 */
export function makeProvider(oidc, config, realm, { keys, kid }, { certificateOf, clientOf, granted, refused, failed }) {
  const features = Object.fromEntries(kOffFeatures.map((name) => [name, { enabled: false }]));
  const provider = new oidc.Provider(config.issuer, {
    adapter: adapter(clientOf),
    jwks: { keys },
    routes: { token: '/oauth/token', jwks: '/jwks' },
    clientAuthMethods: ['tls_client_auth'],
    clientBasedCORS: () => false,
    cookies: { keys: ['no cookie is ever set'] },
    enabledJWA: Object.fromEntries(kSignatures.map((name) => [name, [kAlgorithm]])),
    pkce: { required: () => true },
    responseTypes: [],
    scopes: realm.scopes,
    ttl: { ClientCredentials: config.ttl_seconds },
    features: {
      ...features,
      clientCredentials: { enabled: true },
      mTLS: mutualTls(certificateOf),
      resourceIndicators: resourceIndicators(realm, kid, oidc.errors),
    },
  });
  provider.proxy = true;
  provider.use(withoutCors);
  provider.on('grant.success', granted);
  provider.on('grant.error', refused);
  provider.on('server_error', failed);
  return provider;
}
