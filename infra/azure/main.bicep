// The bot with its database, its key vault and its log, in one resource group.
// Comes after foundation.bicep and entra.sh: see docs/deploy.md.

@description('The same name as in foundation.bicep.')
@minLength(3)
@maxLength(10)
param name string

param location string = resourceGroup().location

@description('With its digest: REGISTRY/csa-snapshot@sha256:...')
param image string

@description('The registry that the identity signs in to, as foundation.bicep says.')
param registryServer string

@description('The Entra app that is the bot, as entra.sh says.')
@minLength(36)
@maxLength(36)
param appId string

@description('The tenant in which the app is registered.')
param appTenantId string = tenant().tenantId

@description('Ids of the tenants whose people may take part.')
@minLength(1)
param tenants array

@description('Who may open, extend and close: TENANT-ID/OBJECT-ID.')
@minLength(1)
param facilitators array

@description('The id in the manifest of the Teams app.')
param teamsAppId string = ''

@description('Further settings of the bot, by their names, such as SNAPSHOT_FACILITATOR_TEAMS. No secrets: whoever may read the deployment reads them.')
param moreSettings object = {}

@description('True: database and vault are reached by private endpoints, and have no public address. False: by service endpoints, from the subnet of the bot alone.')
param privateEndpoints bool = true

@description('For the network that is made for all this: 128 addresses.')
param addressPrefix string = '10.60.0.0/25'

@description('Database and bot in several zones, and two of the bot at least. Cannot be changed afterwards.')
param zoneRedundant bool = false

@description('False: autoscale. Cannot be changed afterwards.')
param serverless bool = true

@description('The ceiling of autoscale, in request units a second.')
@minValue(1000)
param maxThroughput int = 1000

@description('Never none: Teams waits ten seconds for an answer, and reminders are sent by the bot.')
@minValue(1)
param minReplicas int = 1

@minValue(1)
param maxReplicas int = 3

@description('True: a scheduled job also does what is due, should the workers of the bot not.')
param tickJob bool = false

@description('For how long the key of a snapshot is kept after its close, in days.')
@minValue(0)
param keyDays int = 7

@description('What people are told of backups, in days. 30 holds even if somebody deletes the database: see docs/deploy.md.')
@minValue(1)
param backupDays int = 30

@description('For how long logs are kept, in days.')
@minValue(30)
param logDays int = 30

var unique = uniqueString(resourceGroup().id)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: '${name}-identity'
}

module logs 'modules/logs.bicep' = {
  name: 'logs'
  params: {
    name: '${name}-logs'
    location: location
    days: logDays
  }
}

module network 'modules/network.bicep' = {
  name: 'network'
  params: {
    name: '${name}-network'
    location: location
    addressPrefix: addressPrefix
  }
}

module database 'modules/database.bicep' = {
  name: 'database'
  params: {
    name: toLower('${name}-${unique}')
    location: location
    principalId: identity.properties.principalId
    workspaceId: logs.outputs.workspaceId
    subnetId: network.outputs.botSubnetId
    privateOnly: privateEndpoints
    zoneRedundant: zoneRedundant
    serverless: serverless
    maxThroughput: maxThroughput
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: '${name}-${unique}'
    location: location
    principalId: identity.properties.principalId
    workspaceId: logs.outputs.workspaceId
    subnetId: network.outputs.botSubnetId
    privateOnly: privateEndpoints
  }
}

module databaseEndpoint 'modules/endpoint.bicep' = if (privateEndpoints) {
  name: 'databaseEndpoint'
  params: {
    name: '${name}-database'
    location: location
    target: database.outputs.accountId
    part: 'Sql'
    zone: 'privatelink.documents.azure.com'
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointSubnetId
  }
}

module vaultEndpoint 'modules/endpoint.bicep' = if (privateEndpoints) {
  name: 'vaultEndpoint'
  params: {
    name: '${name}-vault'
    location: location
    target: vault.outputs.vaultId
    part: 'vault'
    zone: 'privatelink.vaultcore.azure.net'
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointSubnetId
  }
}

// Names as in bot/settings.py. Nothing of it is secret: the identity signs in for the bot.
var settings = {
  SNAPSHOT_ENV: 'production'
  SNAPSHOT_STORE: database.outputs.store
  SNAPSHOT_KEYS: vault.outputs.uri
  SNAPSHOT_TENANTS: join(tenants, ',')
  SNAPSHOT_FACILITATORS: join(facilitators, ',')
  SNAPSHOT_KEY_DAYS: string(keyDays)
  SNAPSHOT_BACKUP_DAYS: string(backupDays)
  MicrosoftAppId: appId
  MicrosoftAppType: 'SingleTenant'
  MicrosoftAppTenantId: appTenantId
  AZURE_CLIENT_ID: identity.properties.clientId
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: name
    location: location
    identityId: identity.id
    image: image
    registryServer: registryServer
    settings: union(settings, empty(teamsAppId) ? {} : { TEAMS_APP_ID: teamsAppId }, moreSettings)
    subnetId: network.outputs.botSubnetId
    workspaceId: logs.outputs.workspaceId
    zoneRedundant: zoneRedundant
    minReplicas: max(minReplicas, zoneRedundant ? 2 : 1)
    maxReplicas: maxReplicas
    tickJob: tickJob
  }
  // Otherwise its first start would look for them in vain.
  dependsOn: [
    databaseEndpoint
    vaultEndpoint
  ]
}

module bot 'modules/bot.bicep' = {
  name: 'bot'
  params: {
    name: '${name}-${unique}'
    appId: appId
    appTenantId: appTenantId
    host: app.outputs.host
  }
}

@description('Where Teams calls the bot; /readyz there says whether it can work.')
output host string = app.outputs.host

output containerApp string = app.outputs.name

@description('SNAPSHOT_STORE of the bot.')
output store string = database.outputs.store

@description('SNAPSHOT_KEYS of the bot. Look there for purge protection: it must be off.')
output vaultUri string = vault.outputs.uri

@description('What the bot writes to its log.')
output workspaceId string = logs.outputs.workspaceId
