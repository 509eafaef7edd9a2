// The vault for the keys under which answers are sealed, and for nothing else: docs/keyvault.md.

param name string
param location string
param principalId string
param workspaceId string
param subnetId string
param privateOnly bool

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    // A destroyed key has to be gone. Soft delete cannot be switched off, and 7 days is its
    // shortest; within them the bot purges. So `enablePurgeProtection` must not stand here: it
    // takes no false, and true is for good.
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
      ipRules: []
      virtualNetworkRules: privateOnly ? [] : [
        {
          id: subnetId
        }
      ]
    }
  }
}

// What the code calls and nothing more: neither backing up nor recovering, so that what the bot has
// purged cannot be had from it again.
resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(vault.id, 'keys')
  properties: {
    roleName: 'CSA Snapshot keys (${name})'
    description: 'Make, read, delete and purge the keys of snapshots'
    type: 'CustomRole'
    assignableScopes: [
      resourceGroup().id
    ]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/delete'
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/purge/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
        ]
        notDataActions: []
      }
    ]
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, 'keys')
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.name)
  }
}

// Who asked for which key, never a key. Whoever but the bot reads one shows here.
resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'requests'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

output vaultId string = vault.id
output uri string = vault.properties.vaultUri
