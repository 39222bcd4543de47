import type { TaskMetrics } from './host/messages-out.ts'

/** A task's counters while it runs: written by plain assignment in the hot path, read now and then. */
export class MetricsRecorder implements TaskMetrics {
  phase: TaskMetrics['phase'] = 'idle'
  phaseSince = Date.now()
  recordsRead = 0
  recordsWritten = 0
  recordsFiltered = 0
  recordsSkipped = 0
  recordErrors = 0
  recordFailures = 0
  retries = 0
  deadLetterRecords = 0
  recordsActive = 0
  bytesActive = 0
  offsetCommits = 0
  offsetCommitFailures = 0
  lastCommitAt: number | null = null

  enter(phase: TaskMetrics['phase']): void {
    this.phase = phase
    this.phaseSince = Date.now()
  }

  snapshot(): TaskMetrics {
    return { ...this }
  }
}
