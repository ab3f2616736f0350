/*
 * pqxx.cpp
 *		The same with libpqxx.  It has no pool.
 */
#include <pqxx/pqxx>
#include <pqxx/stream_to>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "peer.h"

namespace
{

struct item
{
	int32_t amount;
	std::string name;
	double price;
	int64_t made_at; /* microseconds since 1970 */
	int64_t id;
};

std::unique_ptr<pqxx::connection> conn;
std::vector<item> items;

double
open_connection(long count)
{
	conn = std::make_unique<pqxx::connection>("");
	conn->prepare("by_key", PEER_BY_KEY "$1");
	conn->prepare("settings",
				  "SELECT set_config($1, $2, true), set_config($3, $4, true),"
				  " set_config($5, $6, true)");
	return static_cast<double>(count);
}

int64_t
take(const pqxx::result &found)
{
	return found.at(0)[0].as<int64_t>() + static_cast<int64_t>(found[0][1].size());
}

double
calls(long count)
{
	pqxx::nontransaction work(*conn);
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
		sum += take(work.exec_prepared("by_key", i));
	return static_cast<double>(sum);
}

double
contexts(long count)
{
	int64_t sum = 0;

	for (long i = 1; i <= count; i++)
	{
		pqxx::work work(*conn);

		work.exec_prepared("settings", "app.tenant", "7", "app.user", "ada", "role", "bench_role");
		sum += take(work.exec_prepared("by_key", i));
		work.commit();
	}
	return static_cast<double>(sum);
}

/* A pipeline has the texts of statements, no parameters. */
double
batches(long count)
{
	pqxx::nontransaction work(*conn);
	int64_t sum = 0;

	for (long i = 0; i < count / PEER_BATCH; i++)
	{
		pqxx::pipeline pipeline(work);

		pipeline.retain(PEER_BATCH);
		for (long j = 1; j <= PEER_BATCH; j++)
			pipeline.insert("SELECT " + std::to_string(i * PEER_BATCH + j) +
							"::bigint, 'some text'");
		pipeline.complete();
		while (!pipeline.empty())
			sum += take(pipeline.retrieve().second);
	}
	return static_cast<double>(sum);
}

double
scan(long count)
{
	pqxx::nontransaction work(*conn);
	pqxx::result rows = work.exec(BENCH_ROWS);
	int64_t sum = 0;

	if (rows.size() != static_cast<pqxx::result::size_type>(count))
		peer_die("pqxx", "rows are lacking");
	items.resize(static_cast<size_t>(count));
	for (const auto &row : rows)
	{
		item &to = items[row.rownumber()];

		to.amount = row[0].as<int32_t>();
		to.name.assign(row[1].c_str(), row[1].size());
		to.price = row[2].as<double>();
		to.made_at = bench_time(row[3].c_str());
		to.id = row[4].as<int64_t>();
		sum += to.amount + to.id + to.made_at / 1000000;
	}
	return static_cast<double>(sum);
}

double
fill(long count)
{
	items.clear();
	for (long i = 0; i < count; i++)
		items.push_back({ static_cast<int32_t>(i % 1000),
						  "name " + std::to_string(i),
						  static_cast<double>(i) * 0.25,
						  0,
						  i });
	return static_cast<double>(count);
}

double
copy(long count)
{
	pqxx::work work(*conn);
	pqxx::stream_to stream(work,
						   "bench_bulk",
						   std::vector<std::string>{ "amount", "name", "price" });

	for (const item &row : items)
		stream << std::tie(row.amount, row.name, row.price);
	stream.complete();
	work.commit();
	return static_cast<double>(count);
}

} // namespace

int
main()
{
	static const peer_task tasks[] = {
		{ "open", open_connection },
		{ "calls", calls },
		{ "contexts", contexts },
		{ "batches", batches },
		{ "scan", scan },
		{ "fill", fill },
		{ "copy", copy },
		{ NULL, NULL },
	};

	try
	{
		return peer_serve(tasks);
	}
	catch (const std::exception &why)
	{
		peer_die("pqxx", why.what());
	}
}
