import { LitElement, css, html } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import './page.css';
import { fitting, type Herb } from './herbs';

@customElement('herb-finder')
export class HerbFinder extends LitElement {
  static styles = css`
    li { margin: 0.3rem 0; }
  `;

  @state() private herbs: Herb[] = [];
  @state() private dish = '';

  async firstUpdated(): Promise<void> {
    const answer = await fetch('/herbs/herbs.json');
    this.herbs = (await answer.json()) as Herb[];
  }

  render() {
    const found = fitting(this.herbs, this.dish);
    return html`
      <h1>Herbs</h1>
      <input placeholder="a dish" @input=${(event: Event) => (this.dish = (event.target as HTMLInputElement).value)} />
      <ul>${found.map((herb) => html`<li>${herb.name}: ${herb.fits.join(', ')}</li>`)}</ul>
    `;
  }
}
