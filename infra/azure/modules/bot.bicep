// How Teams finds the bot.

param name string
param appId string
param appTenantId string
param host string

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: name
  location: 'global'
  kind: 'azurebot'
  sku: {
    name: 'F0'
  }
  properties: {
    displayName: 'CSA Snapshot'
    endpoint: 'https://${host}/api/messages'
    msaAppId: appId
    // So called whatever tenants the app is used in: its own sign-in audience decides that.
    msaAppType: 'SingleTenant'
    msaAppTenantId: appTenantId
    // No keys for Direct Line and the like.
    disableLocalAuth: true
    isStreamingSupported: false
    publicNetworkAccess: 'Enabled'
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      isEnabled: true
      enableCalling: false
      acceptedTerms: true
    }
  }
}
