// SPDX-License-Identifier: Apache-2.0
// Who has read what, and who was refused: a database of this process's own. A row is durable before its answer leaves.
#ifndef WAYSEAL_SHARE_ACCESSES_HPP
#define WAYSEAL_SHARE_ACCESSES_HPP

#include <functional>
#include <optional>
#include <string>

#include "reader.hpp"
#include "sqlite.hpp"

namespace share {

struct Access {
  std::string handle;  ///< 32 random hexadecimal digits: names this row, and is the cursor behind its answer.
  int64_t at_ms = 0;
  std::string partner;
  std::string certificate;  ///< SHA-256 of the partner's certificate, hexadecimal.
  std::string route;        ///< `vehicles` or `signals`.
  std::string vehicle;      ///< Empty: the list, or what was asked for is no vehicle id.
  std::string outcome;      ///< `given`, or why not.
  std::string grants;       ///< Ids, with blanks between.
  std::string purposes;     ///< Of these grants, with "; " between.
  std::string signals;      ///< Names, with blanks between.
  std::optional<int64_t> since_us;
  std::optional<int64_t> until_us;
  std::string name;   ///< As asked for; empty: all.
  int64_t count = 0;  ///< Samples, or vehicles of the list.
  std::string kid;    ///< Of the key that the answer was sealed for.
  Position end;
};

class Accesses {
 public:
  /// Opens the database, and makes it. Throws cloud::DatabaseError.
  Accesses(const std::string& path, cloud::Database::Mode mode);

  /// Key of the tokens that stand for names in the log; made with the database.
  cloud::Blob log_key();
  /// Durable when it returns. Throws cloud::DatabaseError.
  void add(const Access& access);
  /// The row behind a cursor, when it was this partner's and about this vehicle.
  std::optional<Access> find(const std::string& handle, const std::string& partner, const std::string& vehicle);

  struct Filter {
    std::string partner;  ///< Empty: all.
    std::string vehicle;
    int64_t since_ms = 0;
  };
  /// In the order of time.
  void each(const Filter& filter, const std::function<void(const Access&)>& on_access);

 private:
  cloud::Database database_;
};

std::string random_handle();

}  // namespace share

#endif
