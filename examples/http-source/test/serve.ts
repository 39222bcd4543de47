// An API for trying the source: http://127.0.0.1:8000/ gets a new item every second.
import { startApi } from './api-server.ts'

const api = await startApi(3, 8000)
setInterval(() => {
  api.state.count++
}, 1000)
console.log(`The API listens on ${api.url}. Ctrl-C stops it.`)
