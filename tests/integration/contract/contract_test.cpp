// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

#include <yaml.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "delivery.pb.h"
#include "envelope.pb.h"
#include "session.pb.h"
#include "wire.hpp"

namespace {

namespace v1 = wayseal::v1;

class Yaml {
 public:
  explicit Yaml(const char* path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "rb"), &std::fclose);
    REQUIRE(file != nullptr);
    yaml_parser_t parser;
    REQUIRE(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_file(&parser, file.get());
    REQUIRE(yaml_parser_load(&parser, &document_) == 1);
    yaml_parser_delete(&parser);
  }
  ~Yaml() { yaml_document_delete(&document_); }
  Yaml(const Yaml&) = delete;
  Yaml& operator=(const Yaml&) = delete;

  std::map<std::string, yaml_node_t*> entries(yaml_node_t* node) {
    std::map<std::string, yaml_node_t*> all;
    if (node == nullptr || node->type != YAML_MAPPING_NODE) return all;
    for (auto* pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; ++pair)
      all[text(yaml_document_get_node(&document_, pair->key))] =
          yaml_document_get_node(&document_, pair->value);
    return all;
  }
  yaml_node_t* at(std::initializer_list<const char*> path) {
    yaml_node_t* node = yaml_document_get_root_node(&document_);
    for (const char* const name : path) node = entries(node)[name];
    return node;
  }
  static std::string text(const yaml_node_t* node) {
    if (node == nullptr || node->type != YAML_SCALAR_NODE) return {};
    return {reinterpret_cast<const char*>(node->data.scalar.value), node->data.scalar.length};
  }

 private:
  yaml_document_t document_{};
};

const char* name_of(cloud::FieldKind kind) {
  switch (kind) {
    case cloud::FieldKind::kNumber: return "number";
    case cloud::FieldKind::kBytes: return "bytes";
    case cloud::FieldKind::kCount: return "count";
  }
  return "";
}

std::string broken(const google::protobuf::Message& message) {
  const cloud::FieldRule* const rule = cloud::broken_rule(message);
  return rule == nullptr ? "" : rule->name;
}

v1::PrekeysRequest good_request() {
  v1::PrekeysRequest request;
  request.set_version(1);
  request.set_vehicle_id("v-1");
  request.set_challenge(std::string(32, 'c'));
  request.set_wanted(64);
  request.set_suites(1);
  return request;
}

TEST_CASE("openapi.yaml and the backend's table say the same of every field") {
  std::set<std::string> table;
  for (const cloud::FieldRule& rule : cloud::field_rules()) {
    CHECK(std::string(rule.name) == std::string(rule.message) + "." + rule.field);
    table.insert(std::string(rule.name) + " " + name_of(rule.kind) + " " + std::to_string(rule.least) + " " +
                 std::to_string(rule.most) + (rule.required ? " true" : " false"));
  }
  std::set<std::string> contract;
  Yaml yaml(WAYSEAL_OPENAPI);
  for (const auto& [message, schema] : yaml.entries(yaml.at({"components", "schemas"}))) {
    for (const auto& [field, rule] : yaml.entries(yaml.entries(schema)["x-fields"])) {
      auto said = yaml.entries(rule);
      contract.insert(message + "." + field + " " + Yaml::text(said["kind"]) + " " + Yaml::text(said["least"]) +
                      " " + Yaml::text(said["most"]) + " " + Yaml::text(said["required"]));
    }
  }
  CHECK(contract.size() == 22);
  CHECK(contract == table);
}

TEST_CASE("openapi.yaml has the backend's sizes") {
  Yaml yaml(WAYSEAL_OPENAPI);
  const auto most = [&](const char* path) {
    return Yaml::text(yaml.at({"paths", path, "post", "requestBody", "x-bytes-most"}));
  };
  CHECK(most("/v1/prekeys") == std::to_string(cloud::kPrekeysRequestMax));
  CHECK(most("/v1/records") == std::to_string(cloud::kUploadMax));
}

TEST_CASE("every rule names a field of its message") {
  for (const cloud::FieldRule& rule : cloud::field_rules()) {
    INFO(rule.name);
    const auto* const message = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        std::string("wayseal.v1.") + rule.message);
    REQUIRE(message != nullptr);
    REQUIRE(message->FindFieldByName(rule.field) != nullptr);
    CHECK(message->FindFieldByName(rule.field)->is_repeated() == (rule.kind == cloud::FieldKind::kCount));
  }
}

TEST_CASE("a field out of its range is named, its borders are good") {
  CHECK(broken(good_request()).empty());
  auto request = good_request();
  request.set_wanted(65);
  CHECK(broken(request) == "PrekeysRequest.wanted");
  request = good_request();
  request.set_challenge(std::string(31, 'c'));
  CHECK(broken(request) == "PrekeysRequest.challenge");
  request = good_request();
  request.clear_suites();
  CHECK(broken(request) == "PrekeysRequest.suites");

  v1::Upload upload;
  for (int i = 0; i < 1024; ++i) upload.add_items();
  CHECK(broken(upload).empty());
  upload.add_items();
  CHECK(broken(upload) == "Upload.items");

  v1::Sealed sealed;
  sealed.set_header(std::string(26, 'h'));
  sealed.set_ciphertext(std::string(15, 't'));
  CHECK(broken(sealed) == "Sealed.ciphertext");
  sealed.mutable_ciphertext()->push_back('t');
  CHECK(broken(sealed).empty());
}

TEST_CASE("what is not required may be absent, and has its size when it is there") {
  v1::SessionOpen open;
  open.set_version(1);
  open.set_suite(2);
  open.set_offer(2);
  open.set_prekey_point(std::string(65, 'p'));
  open.set_bundle_digest(std::string(32, 'b'));
  open.set_backend_certificate_digest(std::string(32, 'c'));
  open.set_ephemeral(std::string(65, 'e'));
  open.set_nonce(std::string(32, 'n'));
  open.add_chain("leaf");
  open.add_chain("intermediate");
  CHECK(broken(open).empty());
  open.set_previous_session(std::string(15, 's'));
  CHECK(broken(open) == "SessionOpen.previous_session");
}

}  // namespace
