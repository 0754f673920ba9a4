// SPDX-License-Identifier: Apache-2.0
/// \file
/// The files of the identity provider (examples/cloud/idp): its configuration, its signing keys in two slots, a file for each
/// client; and the public keys that the gateway verifies tokens with. All functions take the fleet's folder, and throw
/// std::runtime_error where they fail.
#ifndef WAYSEAL_OEM_PROVISION_IDP_HPP
#define WAYSEAL_OEM_PROVISION_IDP_HPP

#include <string>

#include "provision/x509.hpp"

namespace wayseal::oem {

/// Makes idp/ with a key in slot a, and gateway/jwt-a.pem and jwt-b.pem. The latter is a key of which nobody has the private
/// half, until the first rotation: a gateway needs both files.
void make_idp(const Path& fleet);

/// Lets a vehicle get tokens for both scopes. A fleet without idp/ is left as it is. A running provider needs no restart.
/// \param vehicle_id at most 32 characters out of A-Z a-z 0-9 . _ -
void add_idp_client(const Path& fleet, const std::string& vehicle_id);

/// Takes that away, from the next request on. Tokens given before live on until they expire.
/// \return whether there was something to take away.
bool remove_idp_client(const Path& fleet, const std::string& vehicle_id);

/// Makes the partners' realm: its audience, and a folder of clients. \return false when it is there already.
bool add_idp_partners(const Path& fleet);
/// Lets a partner get tokens for the scope share.
void add_idp_partner(const Path& fleet, const std::string& name);
/// Takes that away, as `remove_idp_client` does. \return whether there was something to take away.
bool remove_idp_partner(const Path& fleet, const std::string& name);

/// First step of a rotation: a new key in the slot that is not signed with. Done again, it changes nothing.
/// Throws while tokens may live that the key in that slot has signed.
/// \return what is left to do, for a person.
std::string prepare_idp_key(const Path& fleet);

/// Second step, after the gateway has loaded the new public key: the provider signs with the prepared key from its next request
/// on. Throws unless a key was prepared.
/// \return what is left to do, for a person.
std::string switch_idp_key(const Path& fleet);

}  // namespace wayseal::oem

#endif
