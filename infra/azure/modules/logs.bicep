// The log. Which of the other resources' logs come here is said beside each of them: never one
// with the text of a query, or with who asked for which record.

param name string
param location string
param days int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: name
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: days
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
      // Otherwise it keeps them for some days longer than it says.
      immediatePurgeDataOn30Days: true
    }
  }
}

output workspaceId string = workspace.id
