# SPDX-License-Identifier: Apache-2.0
# Sources of `wayseal-oem provision`; included by CMakeLists.txt.
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
# The register is read with the backend's thin face of SQLite, and with nothing else of the backend.
add_library(wayseal_oem_pki STATIC
  provision/enrolment.cpp provision/identity_life.cpp provision/idp.cpp provision/oem_pki.cpp provision/register.cpp
  provision/rotation.cpp provision/signing.cpp provision/tokens.cpp provision/x509.cpp ../cloud/backend/sqlite.cpp)
wayseal_strict(wayseal_oem_pki)
target_include_directories(wayseal_oem_pki
  PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}" PRIVATE ../cloud/backend ../cloud/common)
target_link_libraries(wayseal_oem_pki
  PUBLIC wayseal_core OpenSSL::Crypto SQLite::SQLite3 PRIVATE wayseal_pkcs11_tools nlohmann_json::nlohmann_json)
list(APPEND oem_sources idp_command.cpp provision_command.cpp provision/identities_command.cpp provision/rotate_command.cpp)
list(APPEND oem_libs wayseal_oem_pki nlohmann_json::nlohmann_json)
