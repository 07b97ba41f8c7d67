import type { CodegenConfig } from '@graphql-codegen/cli'
import { addTypenameSelectionDocumentTransform } from '@graphql-codegen/client-preset'

export default {
  schema: '../../schema/graphql/*.graphqls',
  documents: 'src/documents/*.graphql',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' } },
      // What is published has to be what Apollo asks for, __typename included.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        onlyOperationTypes: true,
        scalars: { ID: 'string', Time: 'string', Duration: 'string', Constant: 'unknown' },
      },
    },
  },
} satisfies CodegenConfig
