/**
 * Teaches swc's visitor the statement `using x = ...`. Without this, dependency-cruiser stops at
 * the first file that contains such a statement.
 */
import visitorModule from '@swc/core/Visitor.js'

interface Statement {
  readonly type: string
  decls?: unknown
}
interface Visitor {
  visitStatement(statement: Statement): Statement
  visitVariableDeclarators(declarators: unknown): unknown
}

const prototype = (visitorModule as unknown as { Visitor: { prototype: Visitor } }).Visitor.prototype
const visitStatement = prototype.visitStatement

prototype.visitStatement = function (this: Visitor, statement: Statement): Statement {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement)
  statement.decls = this.visitVariableDeclarators(statement.decls)
  return statement
}
