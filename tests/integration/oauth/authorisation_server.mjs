// A real OAuth 2.0 authorisation server, oidc-provider, and a small resource server beside it.
//
// usage: node authorisation_server.mjs NODE_MODULES CERTIFICATE KEY CLIENT_AUTHORITY
//
// Prints one line of JSON with its addresses once it listens:
//   issuer     asks nobody for a certificate; has mtls_endpoint_aliases
//   unaliased  an issuer that asks everybody for one, without aliases
//   imposter   publishes the metadata of the first one
//   api        the resource server: takes JWTs that are bound to the caller's certificate
// POST /approve?code=USER_CODE on the issuers is the person who agrees to a device grant.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

const [modules, certificate, key, clientAuthority] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${modules}/${file}`));
const { default: Provider } = await load('oidc-provider/lib/index.js');
const jose = await load('jose/dist/node/esm/index.js');

const signing = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...signing.privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
const mutual = {
  ...tls,
  ca: fs.readFileSync(clientAuthority),
  requestCert: true,
  rejectUnauthorized: false, // the method that the client is registered with decides
};

const peerCertificate = (request) => request.socket.getPeerX509Certificate?.();
const thumbprint = (x509) => crypto.createHash('sha256').update(x509.raw).digest('base64url');

// RFC 8705 section 2.1.2, as node shows names.
function subjectMatches(ctx, field, expected) {
  const x509 = peerCertificate(ctx.req);
  if (field === 'tls_client_auth_subject_dn') {
    return x509.subject.split('\n').reverse().join(',') === expected;
  }
  const label = { san_dns: 'DNS', san_uri: 'URI', san_ip: 'IP Address', san_email: 'email' }[
    field.replace('tls_client_auth_', '')];
  return (x509.subjectAltName ?? '').split(', ').includes(`${label}:${expected}`);
}

const listen = (options) => new Promise((done) => {
  const server = https.createServer(options);
  server.listen(0, '127.0.0.1', () => done([server, `https://localhost:${server.address().port}`]));
});

function makeProvider(issuer, aliases) {
  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    cookies: { keys: ['of-the-test'] },
    scopes: ['openid', 'offline_access', 'api'],
    clientAuthMethods: ['tls_client_auth', 'self_signed_tls_client_auth'],
    discovery: aliases && {
      mtls_endpoint_aliases: Object.fromEntries(
        Object.entries({ token_endpoint: 'token', introspection_endpoint: 'token/introspection',
          device_authorization_endpoint: 'device/auth' })
          .map(([name, path]) => [name, `${aliases}/${path}`])),
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientName !== 'blind' },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: (ctx) => peerCertificate(ctx.req),
        certificateAuthorized: (ctx) => ctx.req.socket.authorized,
        certificateSubjectMatches: subjectMatches,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'api', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  provider.use(async (ctx, next) => {
    if (ctx.path !== '/approve') {
      await next();
      // oidc-provider names no interval, which means five seconds.
      if (ctx.body?.device_code) ctx.body.interval = 1;
      return;
    }
    const code = await provider.DeviceCode.findByUserCode(ctx.query.code.replace(/-/g, ''));
    const grant = new provider.Grant({ accountId: 'alice', clientId: code.clientId });
    grant.addOIDCScope('openid offline_access');
    Object.assign(code, {
      accountId: 'alice', grantId: await grant.save(), scope: 'openid offline_access',
      authTime: Math.floor(Date.now() / 1000),
    });
    await code.save();
    ctx.body = 'agreed';
  });
  return provider;
}

async function serveApi(request, response, resource) {
  const refuse = (why) => {
    response.writeHead(401, { 'www-authenticate': `Bearer error="invalid_token", error_description="${why}"` });
    response.end(why);
  };
  try {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const { payload } = await jose.jwtVerify(token, signing.publicKey, { audience: resource });
    const x509 = peerCertificate(request);
    if (!x509 || payload.cnf?.['x5t#S256'] !== thumbprint(x509)) {
      refuse('bound to another certificate');
      return;
    }
    response.end(`hello ${payload.client_id}\n`);
  } catch (error) {
    refuse(error.code ?? 'malformed');
  }
}

const [main, issuer] = await listen(tls);
const [aliases, aliasUrl] = await listen(mutual);
const [unaliased, unaliasedIssuer] = await listen(mutual);
const [imposter, imposterUrl] = await listen(tls);
const [api, apiUrl] = await listen(mutual);
const provider = makeProvider(issuer, aliasUrl);
for (const server of [main, aliases, imposter]) server.on('request', provider.callback());
unaliased.on('request', makeProvider(unaliasedIssuer).callback());
api.on('request', (request, response) => serveApi(request, response, `${apiUrl}/`));
console.log(JSON.stringify({
  issuer, unaliased: unaliasedIssuer, imposter: imposterUrl, api: `${apiUrl}/`, aliases: aliasUrl,
}));
