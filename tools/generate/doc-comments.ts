import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** What the comments of one class say: of itself, and by property. */
export interface ClassComments {
  own: string | undefined;
  properties: ReadonlyMap<string, string>;
}

/** The TSDoc comments of the classes in a source file, by class name: descriptions are written once, in the code. */
export function readClassComments(path: string): Map<string, ClassComments> {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const classes = new Map<string, ClassComments>();
  source.forEachChild((node) => {
    if (ts.isClassDeclaration(node) && node.name) classes.set(node.name.text, commentsOf(node));
  });
  return classes;
}

function commentsOf(node: ts.ClassDeclaration): ClassComments {
  const properties = new Map<string, string>();
  for (const member of node.members) {
    const text = commentOf(member);
    if (ts.isPropertyDeclaration(member) && text !== undefined) properties.set(member.name.getText(), text);
  }
  return { own: commentOf(node), properties };
}

function commentOf(node: ts.Node): string | undefined {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
  return ts.getTextOfJSDocComment(comment)?.replace(/\s+/g, ' ').trim();
}
