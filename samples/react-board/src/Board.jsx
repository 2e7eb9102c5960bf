import { useEffect, useState } from "react";

const COLUMNS = ["To do", "Doing", "Done"];

export default function Board() {
  const [cards, setCards] = useState(() => JSON.parse(localStorage.getItem("cards") ?? "[]"));
  const [text, setText] = useState("");
  useEffect(() => localStorage.setItem("cards", JSON.stringify(cards)), [cards]);

  const add = (event) => {
    event.preventDefault();
    setCards([...cards, { id: crypto.randomUUID(), text, column: 0 }]);
    setText("");
  };
  const move = (id) => setCards(cards.map((card) => (card.id === id ? { ...card, column: (card.column + 1) % 3 } : card)));

  return (
    <main>
      <form onSubmit={add}>
        <input value={text} onChange={(event) => setText(event.target.value)} required />
        <button>Add</button>
      </form>
      <div className="columns">
        {COLUMNS.map((name, column) => (
          <section key={name}>
            <h2>{name}</h2>
            {cards
              .filter((card) => card.column === column)
              .map((card) => (
                <button key={card.id} onClick={() => move(card.id)}>
                  {card.text}
                </button>
              ))}
          </section>
        ))}
      </div>
    </main>
  );
}
