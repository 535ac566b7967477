/** Direction: main -> sidecar -> {proxy, control, cli, demo} -> {hold, policy, provider, ledger} -> core. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...allowed] },
});
const soleImporter = (name, pkg, importer) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: importer },
  to: { path: `(^|/)node_modules/${pkg}/` },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('core-imports-nothing', '^src/core/', []),
    only('provider-is-pure', '^src/provider/', ['^src/core/']),
    // Forms of bytes, then what all families share in reading, asking, amending and batches: none of it knows a family.
    only('wire-means-nothing', '^src/provider/wire/', ['^src/core/']),
    only('shared-knows-no-family', '^src/provider/(reading|asked|amending|batches)/', [
      '^src/core/',
      '^src/provider/(wire/|protocol\\.ts$)',
    ]),
    only('policy-is-pure', '^src/policy/', ['^src/core/', '^src/config/(yaml|issues)\\.ts$']),
    only('ledger-below-all', '^src/ledger/', ['^src/core/']),
    only('verifier-stands-alone', '^src/ledger/verify/', []),
    only('anchor-on-ledger', '^src/anchor/', ['^src/core/', '^src/ledger/']),
    only('hold-on-ledger', '^src/hold/', ['^src/core/', '^src/ledger/', '^src/policy/policy\\.ts$']),
    only('notify-on-holds', '^src/notify/', ['^src/core/', '^src/hold/']),
    only('erasure-on-ledger', '^src/erasure/', ['^src/core/', '^src/ledger/']),
    only('record-on-ledger', '^src/record/', ['^src/(core|ledger|policy)/']),
    only('report-seals', '^src/report/', ['^src/(core|ledger|policy|provider|record)/']),
    only('replay-reads-the-record', '^src/replay/', ['^src/(core|ledger|policy|provider)/']),
    only('store-implements-ports', '^src/store/', ['^src/core/', '^src/ledger/']),
    only('proxy-never-control', '^src/proxy/', ['^src/(core|hold|policy|provider|ledger|record|replay)/']),
    only('control-never-proxy', '^src/control/', [
      '^src/(core|hold|policy|provider|ledger|erasure|notify|replay|report|store)/',
    ]),
    only('client-stands-alone', '^src/client/', []),
    only('console-on-verifier', '^src/console/', ['^src/ledger/verify/']),
    // Words, answers, what a tab knows, what is drawn of it, one hold, then the pages: each knows those before it.
    only('console-words-alone', '^src/console/words/', []),
    only('console-answers-are-read', '^src/console/answers/', ['^src/console/words/']),
    only('console-desk-draws-nothing', '^src/console/desk/', ['^src/console/(words|answers)/']),
    only('console-drawn-on-desk', '^src/console/drawn/', ['^src/console/(words|answers|desk)/']),
    only('console-hold-on-drawn', '^src/console/hold/', ['^src/console/(words|answers|desk|drawn)/']),
    only('console-inbox-on-drawn', '^src/console/inbox/', ['^src/console/(words|answers|desk|drawn)/']),
    only('console-privacy-on-hold', '^src/console/privacy/', [
      '^src/console/(words|answers|desk|drawn|hold)/',
    ]),
    only('console-pages-on-hold', '^src/console/pages/', [
      '^src/console/(words|answers|desk|drawn|hold)/',
      '^src/ledger/verify/',
    ]),
    only('verifier-page-on-verifier', '^src/verifier-page/', [
      '^src/ledger/verify/',
      '^src/console/(words/(text|json-tree)|drawn/recorded)\\.ts$',
    ]),
    only('telemetry-on-core', '^src/telemetry/', ['^src/core/']),
    only('config-on-core', '^src/config/', ['^src/core/']),
    { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^src/main\\.ts$' } },
    {
      name: 'verifier-is-portable',
      severity: 'error',
      from: { path: '^src/ledger/verify/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      // What few configurations need, and what is large: an import at the top would load it for all.
      name: 'loaded-where-needed',
      severity: 'error',
      from: {},
      to: {
        path: '^src/(notify/mail-receiver|proxy/sigv4|anchor/bucket)\\.ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // An import of it loads Node's own fetch.
      name: 'only-node-http-takes-http',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(node:)?http$', dependencyTypesNot: ['type-only'] },
    },
    soleImporter('only-forward-imports-undici', 'undici', '^src/proxy/(forward|upstream-connections)\\.ts$'),
    soleImporter('only-tunnel-imports-http-proxy', 'http-proxy', '^src/proxy/tunnel\\.ts$'),
    soleImporter('only-peer-imports-ws', 'ws', '^src/proxy/realtime/peer\\.ts$'),
    soleImporter('only-mail-imports-nodemailer', 'nodemailer', '^src/notify/mail-receiver\\.ts$'),
    soleImporter('only-id-token-imports-jose', 'jose', '^src/control/sign-in/id-token\\.ts$'),
    soleImporter('only-store-imports-level', 'level', '^src/store/level\\.ts$'),
    soleImporter('only-telemetry-imports-pino', 'pino', '^src/telemetry/'),
    soleImporter(
      'only-expression-imports-cel',
      '@marcbachmann',
      '^src/policy/(expression|syntax|functions|views)\\.ts$',
    ),
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(demo/workload\\.ts|control/console-bundle\\.ts|console/|verifier-page/)',
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
