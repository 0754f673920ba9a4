# SPDX-License-Identifier: Apache-2.0
list(APPEND vectors_sources wycheproof.cpp vault_access.cpp)
list(APPEND vectors_libs wayseal_token_fixture wayseal_psa_device wayseal_fakes wayseal::pkcs11_tools wayseal_mbedtls)
