// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "libs/http/date.hpp"

#include <algorithm>
#include <array>

#include "libs/http/characters.hpp"

namespace xok::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

struct Date {
  unsigned year, month, day;  // month and day from 1
  unsigned hour, minute, second;
};

/// Days from 1970-01-01. Years are counted from March, so that the leap day is their last, and in
/// eras of 400 years (146097 days).
Seconds days_from_date(unsigned year, unsigned month, unsigned day) {
  if (month <= 2) --year;
  const unsigned era = year / 400;
  const unsigned year_of_era = year % 400;
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<Seconds>(era) * 146097 + day_of_era - 719468;
}

Date date_from_seconds(Seconds time) {
  const auto days = static_cast<unsigned>(time / 86400) + 719468;
  const auto rest = static_cast<unsigned>(time % 86400);
  const unsigned era = days / 146097;
  const unsigned day_of_era = days % 146097;
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;  // months since March
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {era * 400 + year_of_era + (month <= 2),
          month,
          day_of_year - (153 * shifted + 2) / 5 + 1,
          rest / 3600,
          rest / 60 % 60,
          rest % 60};
}

unsigned days_in_month(unsigned year, unsigned month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Takes a date apart from the left. The first mismatch makes all that follows fail.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_{text} {}

  void literal(std::string_view expected) { good_ = skip(expected) && good_; }

  /// `digits` digits; a space may stand for the first if `may_be_padded`.
  unsigned number(std::size_t digits, bool may_be_padded = false) {
    unsigned out = 0;
    if (rest_.size() < digits) good_ = false;
    for (std::size_t i = 0; good_ && i < digits; ++i) {
      const char c = rest_[i];
      if (c >= '0' && c <= '9') {
        out = out * 10 + static_cast<unsigned>(c - '0');
      } else if (i != 0 || c != ' ' || !may_be_padded) {
        good_ = false;
      }
    }
    if (good_) rest_.remove_prefix(digits);
    return out;
  }

  /// A three-letter name; its place in `names`, from 1.
  unsigned name(std::string_view names) {
    for (std::size_t i = 0; i < names.size(); i += 3)
      if (skip({names.data() + i, 3})) return static_cast<unsigned>(i / 3 + 1);
    good_ = false;
    return 0;
  }

  bool skip(std::string_view expected) {
    if (prefix(rest_, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  void time(Date& date) {
    date.hour = number(2);
    literal(":");
    date.minute = number(2);
    literal(":");
    date.second = number(2);
  }

  bool ended_well() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

Date scan_rfc1123(Scanner& scanner) {
  Date date{};
  scanner.name(kDays);
  scanner.literal(", ");
  date.day = scanner.number(2);
  scanner.literal(" ");
  date.month = scanner.name(kMonths);
  scanner.literal(" ");
  date.year = scanner.number(4);
  scanner.literal(" ");
  scanner.time(date);
  scanner.literal(" GMT");
  return date;
}

Date scan_rfc850_after_day(Scanner& scanner) {
  Date date{};
  scanner.literal(", ");
  date.day = scanner.number(2);
  scanner.literal("-");
  date.month = scanner.name(kMonths);
  scanner.literal("-");
  date.year = scanner.number(2);
  date.year += date.year < 70 ? 2000 : 1900;
  scanner.literal(" ");
  scanner.time(date);
  scanner.literal(" GMT");
  return date;
}

Date scan_asctime(Scanner& scanner) {
  Date date{};
  scanner.name(kDays);
  scanner.literal(" ");
  date.month = scanner.name(kMonths);
  scanner.literal(" ");
  date.day = scanner.number(2, true);
  scanner.literal(" ");
  scanner.time(date);
  scanner.literal(" ");
  date.year = scanner.number(4);
  return date;
}

void put_two(char* out, unsigned number) {
  out[0] = static_cast<char>('0' + number / 10);
  out[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

void format_date(Seconds time, std::span<char, kDateSize> out) {
  time = std::clamp<Seconds>(time, 0, kLastDate);
  const Date date = date_from_seconds(time);
  const auto weekday = static_cast<std::size_t>((time / 86400 + 4) % 7);  // 1970 began a Thursday
  char* p = out.data();
  __builtin_memcpy(p, "Day, 00 Mon 0000 00:00:00 GMT", kDateSize);
  __builtin_memcpy(p, kDays.data() + 3 * weekday, 3);
  put_two(p + 5, date.day);
  __builtin_memcpy(p + 8, kMonths.data() + std::size_t{3} * (date.month - 1), 3);
  put_two(p + 12, date.year / 100);
  put_two(p + 14, date.year % 100);
  put_two(p + 17, date.hour);
  put_two(p + 20, date.minute);
  put_two(p + 23, date.second);
}

std::optional<Seconds> parse_date(std::string_view text) {
  Scanner scanner{text};
  Date date{};
  bool is_rfc850 = false;
  for (const std::string_view day : kLongDays) is_rfc850 = is_rfc850 || scanner.skip(day);
  if (is_rfc850) {
    date = scan_rfc850_after_day(scanner);
  } else if (text.size() == kDateSize) {
    date = scan_rfc1123(scanner);
  } else {
    date = scan_asctime(scanner);
  }
  if (!scanner.ended_well() || date.year < 1970 || date.day < 1 ||
      date.day > days_in_month(date.year, date.month) || date.hour > 23 || date.minute > 59 ||
      date.second > 60)
    return std::nullopt;
  const Seconds days = days_from_date(date.year, date.month, date.day);
  const unsigned seconds = date.hour * 3600 + date.minute * 60 + date.second;
  return days * 86400 + seconds;
}

}  // namespace xok::http
