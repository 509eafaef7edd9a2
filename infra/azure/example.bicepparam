// To be copied, and filled in: docs/deploy.md says where each comes from.
using 'main.bicep'

param name = 'example'
param image = 'example.azurecr.io/csa-snapshot@sha256:0000000000000000000000000000000000000000000000000000000000000000'
param registryServer = 'example.azurecr.io'
param appId = '33333333-3333-4333-8333-333333333333'
param appTenantId = '44444444-4444-4444-8444-444444444444'
param tenants = [
  '44444444-4444-4444-8444-444444444444'
  '55555555-5555-4555-8555-555555555555'
]
param facilitators = [
  '44444444-4444-4444-8444-444444444444/66666666-6666-4666-8666-666666666666'
]
param teamsAppId = '77777777-7777-4777-8777-777777777777'
