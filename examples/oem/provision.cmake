# SPDX-License-Identifier: Apache-2.0
# Sources of `wayseal-oem provision`; included by CMakeLists.txt.
find_package(nlohmann_json REQUIRED)
add_library(wayseal_oem_pki STATIC provision/idp.cpp provision/oem_pki.cpp provision/signing.cpp provision/tokens.cpp provision/x509.cpp)
wayseal_strict(wayseal_oem_pki)
target_include_directories(wayseal_oem_pki PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(wayseal_oem_pki
  PUBLIC wayseal_core OpenSSL::Crypto PRIVATE wayseal_pkcs11_tools nlohmann_json::nlohmann_json)
list(APPEND oem_sources idp_command.cpp provision_command.cpp)
list(APPEND oem_libs wayseal_oem_pki nlohmann_json::nlohmann_json)
