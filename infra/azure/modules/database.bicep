// The database, as docs/cosmos.md and storage/cosmos_opening.py want it.

param name string
param location string
param principalId string
param workspaceId string
param subnetId string
param privateOnly bool
param zoneRedundant bool
param serverless bool
param maxThroughput int

var databaseName = 'snapshot'

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = {
  name: name
  location: location
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: serverless ? [
      {
        name: 'EnableServerless'
      }
    ] : []
    // With less, a process may not see what another has written: the bot refuses to start.
    consistencyPolicy: {
      defaultConsistencyLevel: 'Strong'
    }
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: zoneRedundant
      }
    ]
    enableMultipleWriteLocations: false
    // Entra is the only way in, and roles below the only way to anything.
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    isVirtualNetworkFilterEnabled: true
    virtualNetworkRules: privateOnly ? [] : [
      {
        id: subnetId
      }
    ]
    ipRules: []
    networkAclBypass: 'None'
    // The shortest that there is: hourly, each kept for eight hours. A continuous backup would
    // hold every version of every envelope, and could not be switched back.
    backupPolicy: {
      type: 'Periodic'
      periodicModeProperties: {
        backupIntervalInMinutes: 60
        backupRetentionIntervalInHours: 8
        backupStorageRedundancy: zoneRedundant ? 'Zone' : 'Local'
      }
    }
    // It would copy every item to another place.
    enableAnalyticalStorage: false
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-10-15' = {
  parent: account
  name: databaseName
  properties: {
    resource: {
      id: databaseName
    }
  }
}

resource records 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-10-15' = {
  parent: database
  name: 'records'
  properties: {
    resource: {
      id: 'records'
      partitionKey: {
        kind: 'Hash'
        paths: [
          '/snapshot'
        ]
        version: 2
      }
      // What the queries ask for. What is sealed is left out: never looked for, and dear to index.
      indexingPolicy: {
        indexingMode: 'consistent'
        automatic: true
        includedPaths: [
          {
            path: '/snapshot/?'
          }
          {
            path: '/kind/?'
          }
          {
            path: '/state/?'
          }
          {
            path: '/group/?'
          }
        ]
        excludedPaths: [
          {
            path: '/*'
          }
        ]
      }
    }
    options: serverless ? {} : {
      autoscaleSettings: {
        maxThroughput: maxThroughput
      }
    }
  }
}

// What the code calls and nothing more: no stored procedures, no upserts, no conflicts. Whoever may
// query has to be let into the change feed as well; it shows the latest version of each item only.
resource role 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-10-15' = {
  parent: account
  name: guid(account.id, 'records')
  properties: {
    roleName: 'CSA Snapshot records'
    type: 'CustomRole'
    assignableScopes: [
      account.id
    ]
    permissions: [
      {
        dataActions: [
          'Microsoft.DocumentDB/databaseAccounts/readMetadata'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/delete'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/replace'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed'
        ]
      }
    ]
  }
}

resource grant 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = {
  parent: account
  name: guid(account.id, principalId, 'records')
  properties: {
    principalId: principalId
    roleDefinitionId: role.id
    scope: '${account.id}/dbs/${databaseName}/colls/records'
  }
  dependsOn: [
    records
  ]
}

// Who changed the account. Not DataPlaneRequests and not QueryRuntimeStatistics: those tell who
// touched which record at which second, and what was asked for.
resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'changes'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ControlPlaneRequests'
        enabled: true
      }
    ]
  }
}

output accountId string = account.id
output store string = 'cosmos://${name}.documents.azure.com/${databaseName}'
