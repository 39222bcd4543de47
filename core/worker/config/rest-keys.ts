import { defineConfig, type Validator } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'
import { listenerList } from './rest-listener.ts'

const noClasses: Validator = {
  describe: 'empty',
  check: value =>
    (value as readonly string[] | null)?.length ? 'Java classes cannot be loaded. Remove this key' : null,
}

/** The keys of the REST API. */
export const restKeys = defineConfig({
  listeners: key.list({
    default: ['http://127.0.0.1:8083'],
    validator: listenerList({ allowEmpty: false }),
    importance: 'LOW',
    documentation:
      'The addresses of the REST API, such as http://127.0.0.1:8083. An empty host means all interfaces. Port 0 means any free port. Unlike in Connect, the default is the loopback interface, because requests are not authenticated.',
  }),
  'rest.advertised.host.name': key.string({
    default: null,
    importance: 'LOW',
    documentation:
      'The host name in the worker id, which REST shows in the status of connectors and tasks. Default: the host of the first listener.',
  }),
  'rest.advertised.port': key.int({
    default: null,
    importance: 'LOW',
    documentation: 'The port in the worker id. Default: the port of the first listener.',
  }),
  'rest.advertised.listener': key.string({
    default: null,
    validator: oneOf(['http', 'https'], { ignoreCase: true }),
    importance: 'LOW',
    noEffect: 'A cluster has one worker in this version.',
    documentation: 'The protocol with which other workers reach this worker: http or https.',
  }),
  'access.control.allow.origin': key.string({
    default: '',
    importance: 'LOW',
    documentation:
      'The value of the header Access-Control-Allow-Origin. Set it if web pages of another origin call the REST API. Empty means that browsers reject such calls.',
  }),
  'access.control.allow.methods': key.string({
    default: '',
    importance: 'LOW',
    documentation:
      'The HTTP methods that web pages of another origin may use, separated by commas. Empty means GET, POST and HEAD.',
  }),
  'admin.listeners': key.list({
    default: null,
    validator: listenerList({ allowEmpty: true }),
    importance: 'LOW',
    documentation:
      'Separate addresses of the admin endpoints /admin/loggers, which also serve /metrics. Default: the addresses in listeners. An empty value turns the admin endpoints off.',
  }),
  'rest.extension.classes': key.list({
    default: [],
    validator: noClasses,
    importance: 'LOW',
    noEffect: 'Java classes cannot be loaded.',
    documentation: 'Java classes that extend the REST API. Only an empty list is accepted.',
  }),
  'response.http.headers.config': key.string({
    default: '',
    importance: 'LOW',
    documentation:
      "HTTP headers to add to every response, as 'ACTION NAME: VALUE' separated by commas. The actions are set, add, setDate and addDate. For example 'set X-Frame-Options: DENY, add Cache-Control: no-cache'.",
  }),
  'rest.secrets.mask': key.boolean({
    default: true,
    importance: 'LOW',
    documentation:
      'Whether REST returns [hidden] instead of passwords and other secrets. A configuration that you send back with [hidden] keeps the stored value. Millrace only; Connect returns secrets.',
  }),
  'rest.request.max.bytes': key.int({
    default: 1048576,
    min: 1024,
    importance: 'LOW',
    documentation: 'The maximum size of the body of a request, in bytes. Millrace only.',
  }),
})
