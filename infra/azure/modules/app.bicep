// The bot itself, and the job that does what is due where it is wanted.

param name string
param location string
param identityId string
param image string
param registryServer string
param settings object
param subnetId string
param workspaceId string
param zoneRedundant bool
param minReplicas int
param maxReplicas int
param tickJob bool

var port = 3978
var env = [for setting in items(union(settings, { PORT: string(port) })): {
  name: setting.key
  value: setting.value
}]
var resources = {
  cpu: json('0.5')
  memory: '1Gi'
}
var identity = {
  type: 'UserAssigned'
  userAssignedIdentities: {
    '${identityId}': {}
  }
}
var registries = [
  {
    server: registryServer
    identity: identityId
  }
]

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    // The other destination would want a key of the workspace.
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: false
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    zoneRedundant: zoneRedundant
  }
}

// What the bot says, and what the platform says of it. Not the ingress: it would tell of every tap
// to the millisecond.
resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'console'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ContainerAppConsoleLogs'
        enabled: true
      }
      {
        category: 'ContainerAppSystemLogs'
        enabled: true
      }
    ]
  }
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${name}-bot'
  location: location
  identity: identity
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        // Teams calls from the public internet; the bot checks who calls.
        external: true
        allowInsecure: false
        targetPort: port
        transport: 'http'
      }
      registries: registries
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'bot'
          image: image
          env: env
          resources: resources
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: port
              }
              periodSeconds: 6
              timeoutSeconds: 3
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: port
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: port
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [
          {
            name: 'turns'
            http: {
              metadata: {
                concurrentRequests: '20'
              }
            }
          }
        ]
      }
    }
  }
}

resource tick 'Microsoft.App/jobs@2025-07-01' = if (tickJob) {
  name: '${name}-tick'
  location: location
  identity: identity
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: '*/10 * * * *'
        parallelism: 1
        replicaCompletionCount: 1
      }
      // What was not done by then is done by the next.
      replicaTimeout: 1800
      replicaRetryLimit: 0
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'tick'
          image: image
          args: [
            'tick'
          ]
          env: env
          resources: resources
        }
      ]
    }
  }
}

output name string = app.name
output host string = app.properties.configuration.ingress.fqdn
