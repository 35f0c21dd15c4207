import { isMap, type JsonMap, memberOf } from '../json-value.ts'

/** Proto-JSON takes every field in camelCase and in snake_case: https://protobuf.dev/programming-guides/json/ */
export function protoMember(value: unknown, camelName: string): unknown {
  return memberOf(value, camelName) ?? memberOf(value, toSnake(camelName))
}

export function protoMap(value: unknown, camelName: string): JsonMap {
  const member = protoMember(value, camelName)
  return isMap(member) ? member : {}
}

export function protoList(value: unknown, camelName: string): readonly unknown[] {
  const member = protoMember(value, camelName)
  return Array.isArray(member) ? member : []
}

function toSnake(camelName: string): string {
  return camelName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export function toCamel(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
