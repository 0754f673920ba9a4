// SPDX-License-Identifier: Apache-2.0
// Too much, too often and too slowly: one sender is held back, its neighbour is served.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <thread>

#include "attacks.hpp"

namespace attack {
namespace {

constexpr char kOtherAddress[] = "127.0.0.2";

/// A connection without a handshake.
class Bare {
 public:
  explicit Bare(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ~Bare() { ::close(fd_); }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

 private:
  int fd_;
};

/// The same request from another address.
std::string send_from_elsewhere(Chain& chain, const Member& as, const std::string& body) {
  const auto answer =
      chain.gateway.post(as.client, "/v1/records", body,
                         {"--interface", kOtherAddress, "-H", "Authorization: Bearer " + chain.token(as)});
  return answer.status;
}

std::string ask_admin(const std::string& socket, const std::string& command) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  std::string text;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    (void)::send(fd, command.data(), command.size(), MSG_NOSIGNAL);
    char buffer[8192];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  return text;
}

/// Waits until the gateway, whose threads take connections in no order, has counted so many of our address.
bool counted(const Chain& chain, const std::string& what, int least) {
  return cloud_test::eventually([&] {
    const std::string table = ask_admin(chain.admin_socket(), "show table per_source\n");
    const size_t at = table.find(what + "=");
    return at != std::string::npos && std::stoi(table.substr(at + what.size() + 1)) >= least;
  });
}

}  // namespace

TEST_CASE("a vehicle that asks too often") {
  Chain chain(json::object(), {"WAYSEAL_RATE_VEHICLE=5"});
  Member noisy = chain.member();
  Member neighbour = chain.member();
  for (int i = 0; i < 5; ++i) REQUIRE(chain.send(chain.good(noisy)) == "200");
  const auto held_back = [&](const char* name, const std::function<Request()>& request) {
    play({"flood", name, "everything of its own", "429 rate-limited rate",
          [&] { return chain.send(request()); }, [&] { return chain.send(chain.good(neighbour)); },
          chain.watch()});
  };
  held_back("one request more than the rate", [&] { return chain.good(noisy); });
  held_back("on another route",
            [&] { return chain.request(noisy, noisy.vehicle.prekeys_request(1), "/v1/prekeys"); });
  chain.gateway.client("second", noisy.id());
  held_back("with another certificate of the same vehicle", [&] {
    Request request = chain.good(noisy);
    request.client = "second";
    return request;
  });
  held_back("from behind a forwarded address",
            [&] { return chain.good(noisy).add("X-Forwarded-For: 10.0.0.1"); });
}

TEST_CASE("an address with too many connections") {
  {
    Chain chain(json::object(), {"WAYSEAL_RATE_SOURCE=6"});
    Member own = chain.member();
    const std::string body = chain.next_upload(own);
    play({"flood", "more new connections of one address than its rate", "everything of its own",
          "closed, nothing in the log",
          [&] {
            for (int i = 0; i < 8; ++i) (void)cloud_test::connects(chain.gateway.port());
            if (!counted(chain, "conn_rate(10000)", 7)) return std::string("not counted");
            return chain.send(chain.request(own, body));
          },
          [&] { return send_from_elsewhere(chain, own, body); }, chain.watch()});
  }
  Chain chain(json::object(), {"WAYSEAL_OPEN_SOURCE=6"});
  Member own = chain.member();
  const std::string body = chain.next_upload(own);
  std::vector<std::unique_ptr<Bare>> open;
  play({"flood", "connections of one address that never shake hands", "an address",
        "closed, nothing in the log",
        [&] {
          for (int i = 0; i < 8; ++i) open.push_back(std::make_unique<Bare>(chain.gateway.port()));
          if (!counted(chain, "conn_cur", 6)) return std::string("not counted");
          return chain.send(chain.request(own, body));
        },
        [&] { return send_from_elsewhere(chain, own, body); }, chain.watch()});
}

TEST_CASE("more handshakes than the rate of all") {
  constexpr int kRate = 5;
  Chain chain(json::object(), {"WAYSEAL_RATE_HANDSHAKES=" + std::to_string(kRate)});
  Member own = chain.member();
  const auto flood = [&]() -> std::string {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 5; ++j) {
          try {
            const cloud_test::OpenConnection connection(chain.gateway, own.client);
          } catch (const std::runtime_error&) {
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const std::string info = ask_admin(chain.admin_socket(), "show info\n");
    const size_t at = info.find("MaxSslRate: ");
    if (at == std::string::npos) return "no figure";
    // HAProxy measures over the last second, sliding; it lets a few of the next one in.
    return std::stoi(info.substr(at + 12)) <= 2 * kRate ? "held back" : "let in: " + info.substr(at, 16);
  };
  play({"flood", "40 handshakes at once where 5 a second may be", "a certificate", "held back", flood,
        [&] {
          const auto answer = chain.gateway.post(own.client, "/v1/records", chain.next_upload(own),
                                                 {"-H", "Authorization: Bearer " + chain.token(own)});
          return answer.status;
        },
        chain.watch()});
}

TEST_CASE("slow senders") {
  Chain chain;
  Member own = chain.member();
  const Request good = chain.good(own);
  struct Slow {
    const char* name;
    std::string bytes;
    const char* expected;
  };
  Request truncated = good;
  truncated.body.pop_back();
  Request begun = good;
  begun.body.resize(5);
  const std::string whole = good.bytes();
  const std::vector<Slow> cases = {{"a head that never ends", whole.substr(0, 60), "408"},
                                   {"a body of which five bytes come", begun.bytes(), "408 timeout"},
                                   {"a body without its last byte", truncated.bytes(), "408 timeout"}};
  // All at the same time: each is given 10 s.
  std::vector<std::unique_ptr<cloud_test::OpenConnection>> open;
  for (const Slow& one : cases) {
    open.push_back(std::make_unique<cloud_test::OpenConnection>(chain.gateway, own.client));
    REQUIRE(open.back()->send(one.bytes));
  }
  for (size_t i = 0; i < cases.size(); ++i) {
    play({"flood", cases[i].name, "certificate, token", cases[i].expected,
          [&]() -> std::string {
            const std::string answer = open[i]->read_to_the_end();
            if (answer.size() < 12) return "closed";
            const bool timeout = answer.find("urn:wayseal:problem:timeout") != std::string::npos;
            return answer.substr(9, 3) + (timeout ? " timeout" : "");
          },
          [&] { return chain.send(chain.good(own)); }, chain.watch()});
  }
}

TEST_CASE("a vehicle that opens sessions without end") {
  Chain chain(json{{"sessions_max", 2}});
  Member greedy = chain.member();
  Member neighbour = chain.member();
  const auto open = [&](Member& as) { return chain.deliver_open(as, as.vehicle.open_session().open); };
  REQUIRE(open(greedy) == "200");
  play({"flood", "one session more than may be open", "the vehicle's keys", "200 too-many-sessions",
        [&] { return open(greedy); }, [&] { return open(neighbour); }, chain.watch()});
}

}  // namespace attack
