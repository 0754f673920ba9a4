# SPDX-License-Identifier: Apache-2.0
# Code from .proto files: nanopb for the vehicle, libprotobuf for the other side of the wire.

# wayseal_proto(<target> <file.proto>...)
#
# Static library with nanopb's code for the files, all from one folder;
# <name>.options beside a file is taken into account. Users write `#include "record.pb.h"`.
function(wayseal_proto target)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}")
  set(generated)
  set(depends "${WAYSEAL_NANOPB_GENERATOR}")
  foreach(proto IN LISTS ARGN)
    get_filename_component(proto "${proto}" ABSOLUTE)
    get_filename_component(dir "${proto}" DIRECTORY)
    get_filename_component(name "${proto}" NAME_WE)
    list(APPEND protos "${proto}")
    list(APPEND generated "${out}/${name}.pb.c" "${out}/${name}.pb.h")
    list(APPEND depends "${proto}")
    if(EXISTS "${dir}/${name}.options")
      list(APPEND depends "${dir}/${name}.options")
    endif()
  endforeach()
  file(MAKE_DIRECTORY "${out}")
  # One call for all files: the generator may write into its own folder at first use.
  add_custom_command(OUTPUT ${generated}
    COMMAND "${WAYSEAL_PYTHON}" "${WAYSEAL_NANOPB_GENERATOR}" --quiet --no-timestamp --strip-path
      "--proto-path=${dir}" "--options-path=${dir}" "--output-dir=${out}" ${protos}
    DEPENDS ${depends}
    WORKING_DIRECTORY "${dir}"
    COMMENT "nanopb code for ${target}" VERBATIM)
  add_library(${target} STATIC ${generated})
  _wayseal_foreign(${target})
  target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${target} PUBLIC wayseal_nanopb)
endfunction()

# wayseal_proto_cpp(<target> <file.proto>...)
# Static library with libprotobuf's code for the files, for the backend, host tools and tests.
# Users write `#include "record.pb.h"`.
function(wayseal_proto_cpp target)
  find_package(Protobuf REQUIRED)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}")
  set(generated)
  foreach(proto IN LISTS ARGN)
    get_filename_component(proto "${proto}" ABSOLUTE)
    get_filename_component(dir "${proto}" DIRECTORY)
    get_filename_component(name "${proto}" NAME_WE)
    list(APPEND protos "${proto}")
    list(APPEND generated "${out}/${name}.pb.cc" "${out}/${name}.pb.h")
  endforeach()
  file(MAKE_DIRECTORY "${out}")
  add_custom_command(OUTPUT ${generated}
    COMMAND protobuf::protoc "--proto_path=${dir}" "--cpp_out=${out}" ${protos}
    DEPENDS ${protos}
    COMMENT "libprotobuf code for ${target}" VERBATIM)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${generated})
  _wayseal_foreign(${target})
  target_compile_features(${target} PUBLIC cxx_std_17)
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
endfunction()
