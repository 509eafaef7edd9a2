// What has to be there before anything else: the bot's identity, for which the Entra app vouches,
// and the registry from which its image is taken.

@description('Short name of the installation, such as that of the area: small letters and digits, a letter first. Part of the name of everything.')
@minLength(3)
@maxLength(10)
param name string

param location string = resourceGroup().location

@description('False where the image comes from a registry of your own: let the identity pull from there.')
param createRegistry bool = true

var names = {
  identity: '${name}-identity'
  registry: '${name}${uniqueString(resourceGroup().id)}'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.identity
  location: location
}

module registry 'modules/registry.bicep' = if (createRegistry) {
  name: 'registry'
  params: {
    name: names.registry
    location: location
    principalId: identity.properties.principalId
  }
}

@description('For entra.sh: the Entra app trusts the identity with this object id.')
output identityPrincipalId string = identity.properties.principalId

@description('For main.bicep; nothing where the registry is your own.')
output registryServer string = createRegistry ? '${names.registry}.azurecr.io' : ''
