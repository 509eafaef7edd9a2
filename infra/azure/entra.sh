#!/usr/bin/env bash
# Makes the bot's app in Entra: no secret, but trust in the managed identity that runs the bot.
# Needs the Azure CLI, signed in to the tenant that shall own the app. docs/deploy.md says when.
set -euo pipefail

readonly GRAPH=00000003-0000-0000-c000-000000000000
readonly PERMISSIONS=(User.Read.All AppCatalog.Read.All TeamsAppInstallation.ReadWriteSelfForUser.All)

usage() {
  cat <<'TEXT'
entra.sh --identity OBJECT-ID [--name NAME] [--audience AUDIENCE] [--app APP-ID] [--graph] [--dry-run]

  --identity OBJECT-ID   identityPrincipalId, as foundation.bicep says
  --name NAME            of the app, as administrators see it (CSA Snapshot)
  --audience AUDIENCE    AzureADMultipleOrgs (people of several tenants take part; the default for
                         a new app) or AzureADMyOrg (of one alone)
  --app APP-ID           an app that is there already, to be given what it lacks; its audience stays
                         unless --audience says another
  --graph                asks for the Graph permissions of docs/graph.md; nobody has agreed to them yet then
  --dry-run              prints what it would do, and asks and changes nothing
TEXT
}

fail() {
  echo "entra.sh: $1" >&2
  exit 1
}

identity='' name='CSA Snapshot' audience='' app='' graph='' dry_run=''
while [ $# -gt 0 ]; do
  case $1 in
    --identity | --name | --audience | --app)
      [ $# -ge 2 ] || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    --graph) graph=yes && shift ;;
    --dry-run) dry_run=yes && shift ;;
    --help) usage && exit ;;
    *) usage >&2 && fail "what is $1?" ;;
  esac
done

is_id() {
  [[ $1 =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]]
}

is_id "$identity" || fail '--identity must be the id that foundation.bicep says'
[ -z "$app" ] || is_id "$app" || fail '--app must be the id of an app'
case $audience in
  '' | AzureADMultipleOrgs | AzureADMyOrg) ;;
  *) fail '--audience must be AzureADMultipleOrgs or AzureADMyOrg' ;;
esac

show() {
  {
    printf '+'
    printf ' %q' "$@"
    printf '\n'
  } >&2
}

change() {
  show az "$@"
  [ -n "$dry_run" ] || az "$@" --output none
}

# Asks something, or makes something whose id is needed: `learn STAND-IN ...`. The stand-in is what
# a dry run goes on with.
learn() {
  local stand_in=$1
  shift
  show az "$@"
  if [ -n "$dry_run" ]; then echo "$stand_in"; else az "$@" --output tsv; fi
}

tenant=$(learn TENANT-ID account show --query tenantId)

if [ -z "$app" ]; then
  # Not simply taken: it could be somebody else's of that name.
  quote="'"
  there=$(learn '' ad app list --filter "displayName eq '${name//$quote/$quote$quote}'" --query '[].appId')
  [ -z "$there" ] || fail "there is an app called $name: say --app $there if it is yours, or another --name"
  app=$(learn APP-ID ad app create --display-name "$name" \
    --sign-in-audience "${audience:-AzureADMultipleOrgs}" --query appId)
elif [ -n "$audience" ]; then
  change ad app update --id "$app" --sign-in-audience "$audience"
fi

trusted=$(learn '' ad app federated-credential list --id "$app" --query "[?subject=='$identity'].name")
if [ -z "$trusted" ]; then
  change ad app federated-credential create --id "$app" --parameters "{\"name\": \"csa-snapshot\",
    \"issuer\": \"https://login.microsoftonline.com/$tenant/v2.0\", \"subject\": \"$identity\",
    \"audiences\": [\"api://AzureADTokenExchange\"]}"
fi

principal=$(learn '' ad sp list --filter "appId eq '$app'" --query '[].id')
[ -n "$principal" ] || change ad sp create --id "$app"

if [ -n "$graph" ]; then
  for permission in "${PERMISSIONS[@]}"; do
    # By name, so that nobody has to trust ids in a script.
    role=$(learn "ID-OF-$permission" ad sp show --id "$GRAPH" --query "appRoles[?value=='$permission'].id")
    [ -n "$role" ] || fail "Graph has no application permission $permission"
    change ad app permission add --id "$app" --api "$GRAPH" --api-permissions "$role=Role"
  done
  echo 'An administrator of each tenant has to agree to the permissions, at'
  echo "  https://login.microsoftonline.com/TENANT-ID-OF-THEIRS/adminconsent?client_id=$app"
fi

echo 'For main.bicep:'
echo "  appId       $app"
echo "  appTenantId $tenant"
